import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { foreignRequests } from '../../../../core/test/foreign-requests.ts'
import { rawRequest } from '../../../../core/test/raw-request.ts'
import { suiteApp } from '../../../../core/test/suite-app.ts'
import proxy from '../../../datadog-proxy/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import rca from '../../plugin.ts'

const plugins = [proxy, webhooks, rca]
const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} })

/** One call as a program sends it, with the headers of the test over its own. */
function ask(url: string, headers: Readonly<Record<string, string>>, path = '/mcp') {
  const { host } = new URL(url)
  const all = {
    host,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'content-length': String(Buffer.byteLength(list)),
    ...headers
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return rawRequest(url, [`POST ${path} HTTP/1.1`, ...lines], list)
}

describe('a local server', () => {
  const shared = suiteApp({ plugins })

  test('answers a program', async () => {
    const { status, text } = await ask(shared.url, {})
    assert.equal(status, 200)
    assert.match(text, /search_tools/)
  })
  for (const [who, headers] of foreignRequests)
    test(`does not answer ${who}`, async () => {
      const { host } = new URL(shared.url)
      const own = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, value.replace('OWN', host)])
      )
      const { status, text } = await ask(shared.url, own)
      assert.ok([403, 421].includes(status), `${status}`)
      assert.doesNotMatch(text, /search_tools/)
    })
})

describe('a protected server', () => {
  const shared = suiteApp({ plugins, env: { RAYNE_AUTH: 'required' } })
  const token = async (...scopes: Parameters<typeof shared.app.store.addToken>[1]) => ({
    authorization: `Bearer ${(await shared.app.store.addToken('a test', scopes)).token}`
  })

  test('answers who may use the tools', async () => {
    for (const scope of ['tools', 'admin'] as const) {
      const { status, text } = await ask(shared.url, await token(scope))
      assert.equal(status, 200, scope)
      assert.match(text, /search_tools/)
    }
  })

  test('tells everybody else where it says who may', async () => {
    const challenge = /^Bearer realm="rayne", scope="tools", resource_metadata="([^"]+)"$/
    const given = (await token('tools')).authorization
    const refused: [Record<string, string>, number, string?][] = [
      [{}, 401],
      [{ authorization: 'Bearer ' }, 401],
      [{ authorization: 'Bearer rayne_api_0000' }, 401],
      [{ authorization: given.slice(0, -1) }, 401],
      [{ authorization: `${given}x` }, 401],
      [{ authorization: given.replace('Bearer', 'Token') }, 401],
      [{}, 401, `/mcp?access_token=${given.slice(7)}`],
      [{}, 401, `/mcp?token=${given.slice(7)}`],
      [{ cookie: `rayne_session=${given.slice(7)}` }, 403],
      [await token('read'), 403],
      [await token('write'), 403],
      [await token('ingest'), 403],
      [await token('webhooks', 'datacat'), 403]
    ]
    for (const [headers, expected, path] of refused) {
      const { status, headers: said, text } = await ask(shared.url, headers, path)
      assert.equal(status, expected, JSON.stringify(headers).slice(0, 40))
      assert.doesNotMatch(text, /search_tools/)
      const [, address = ''] = challenge.exec(said['www-authenticate'] ?? '') ?? []
      assert.equal(address, `${shared.url}/.well-known/oauth-protected-resource/mcp`)
    }
    const found = await fetch(`${shared.url}/.well-known/oauth-protected-resource/mcp`)
    assert.deepEqual(await found.json(), {
      resource: `${shared.url}/mcp`,
      resource_name: 'Rayne',
      scopes_supported: ['tools'],
      bearer_methods_supported: ['header']
    })
  })

  test('does not answer a page of another origin, whoever asks', async () => {
    const admin = await token('admin')
    for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1', 'file://', 'x'])
      assert.equal((await ask(shared.url, { ...admin, origin })).status, 403, origin)
    assert.equal((await ask(shared.url, { ...admin, origin: shared.url })).status, 200)
  })
})
