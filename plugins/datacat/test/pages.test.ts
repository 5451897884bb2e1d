import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import { connect } from './faulty-server.ts'

const page = 'https://shop.example.com'
const shared = suiteApp({ plugins: [datacat], env: { RAYNE_ALLOWED_ORIGINS: page } })
const ask = (path: string, init: RequestInit, origin = page): Promise<Response> =>
  fetch(shared.url + path, { ...init, headers: { origin, ...init.headers } })

/** A browser's fetch for a page: asks before a write, and gives no answer that is not the page's. */
const browserOf =
  (origin: string): typeof fetch =>
  async (input, init = {}) => {
    const { method = 'GET' } = init
    const sent = new Headers(init.headers)
    const names = [...sent.keys()].filter(name => name !== 'accept')
    const question = {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': names.join()
    }
    const told = await fetch(input, { method: 'OPTIONS', headers: question })
    const list = (name: string): string[] => (told.headers.get(name) ?? '').split(/,\s*/)
    if (!told.ok || told.headers.get('access-control-allow-origin') !== origin)
      throw new TypeError('Failed to fetch: the origin is not allowed')
    if (!list('access-control-allow-methods').includes(method))
      throw new TypeError(`Failed to fetch: ${method} is not allowed`)
    const missing = names.find(name => !list('access-control-allow-headers').includes(name))
    if (missing !== undefined) throw new TypeError(`Failed to fetch: ${missing} is not allowed`)
    sent.set('origin', origin)
    sent.set('sec-fetch-site', 'cross-site')
    const answer = await fetch(input, { ...init, headers: sent })
    if (answer.headers.get('access-control-allow-origin') !== origin)
      throw new TypeError('Failed to fetch: the answer is not for this page')
    return answer
  }

describe('a page', () => {
  test('of an allowed origin writes with the client', async t => {
    const client = connect(t, shared, { fetch: browserOf(page), token: 'any' })
    const session = await client.createSession({ product: 'shop' })
    await session.logEvent('checkout')
    await session.heartbeat()
    await session.end()
    const { body } = await shared.call('GET', `/v1/datacat/sessions/${session.id}`)
    assert.deepEqual([body['event_count'], body['status']], [1, 'ended'])
  })

  test('of an allowed origin does nothing else, and sees no one', async () => {
    for (const [method, path] of [
      ['GET', '/v1/datacat/sessions'],
      ['GET', '/api/grafana/sessions'],
      ['DELETE', '/v1/datacat/sessions/3f0c1c1e-7f4a-4c7e-9d53-0a6f2f0b7c11'],
      ['GET', '/v1/jobs'],
      ['GET', '/v1/tokens']
    ] as const)
      assert.equal((await ask(path, { method })).status, 403, `${method} ${path}`)
    const opened = await ask('/api/sessions', { method: 'POST' })
    assert.deepEqual([opened.status, opened.headers.get('vary')], [200, 'origin'])
    assert.equal(opened.headers.get('access-control-allow-credentials'), null)
  })

  test('of any other origin is refused, and told nothing of origins', async t => {
    for (const origin of ['https://evil.example', `${page}.evil.example`, 'null', `${page}:8443`]) {
      const refused = await ask('/api/sessions', { method: 'POST' }, origin)
      assert.deepEqual(
        [refused.status, refused.headers.get('access-control-allow-origin')],
        [403, null]
      )
    }
    const client = connect(t, shared, { fetch: browserOf('https://evil.example'), retries: 0 })
    await assert.rejects(client.createSession(), /not allowed/)
  })
})
