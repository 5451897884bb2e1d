import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import webhooks from '../plugin.ts'

test('a sender learns no name of an account; who may read is told', async t => {
  const app = await createTestApp(t, {
    plugins: [datadogProxy, webhooks],
    env: { RAYNE_AUTH: 'required' }
  })
  const bearer = async (...scopes: string[]): Promise<Record<string, string>> => ({
    authorization: `Bearer ${(await app.store.addToken('t', scopes)).token}`
  })
  const admin = await bearer('admin')
  const account = { name: 'harbour', api_key: 'a'.repeat(32), app_key: 'b'.repeat(40) }
  assert.equal((await app.call('POST', '/v1/accounts', account, admin)).status, 201)
  const post = async (path: string, headers: Record<string, string>): Promise<[number, string]> => {
    const { status, body } = await app.call<object>(
      'POST',
      path,
      { a: crypto.randomUUID() },
      headers
    )
    return [status, JSON.stringify(body)]
  }
  const reader = await bearer('webhooks', 'read')
  for (const sender of [await bearer('ingest'), await bearer('webhooks')]) {
    for (const path of ['/v1/webhooks/receive', '/v1/webhooks/receive/nowhere']) {
      const [status, text] = await post(path, sender)
      assert.equal(status, path.endsWith('nowhere') ? 404 : 202)
      assert.doesNotMatch(text, /harbour/)
    }
    // It named the account itself.
    assert.match(
      (await post('/v1/webhooks/receive/harbour', sender))[1],
      /"account_name":"harbour"/
    )
    assert.equal((await app.call('GET', '/v1/accounts', undefined, sender)).status, 403)
  }
  assert.match((await post('/v1/webhooks/receive', reader))[1], /"account_name":"harbour"/)
  assert.match((await post('/v1/webhooks/receive/nowhere', reader))[1], /harbour/)
})
