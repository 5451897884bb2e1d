import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import { foreignRequests } from '../../core/test/foreign-requests.ts'
import { createSimulator, type SimAccount } from '../simulator.ts'
import { accountOf, call, MINUTE, startSimulator, T0 } from './client.ts'
import { receiver } from './receiver.ts'

/** One request with exactly these headers, as a browser or a proxy would send it. */
const ask = (url: string, headers: Record<string, string>, method = 'GET'): Promise<number> =>
  new Promise((resolve, reject) => {
    request(url, { method, headers }, res => {
      res.resume()
      resolve(res.statusCode ?? 0)
    })
      .on('error', reject)
      .end(method === 'GET' ? undefined : '{}')
  })

test('both listeners answer programs and pages of their own address, and nobody else', async context => {
  const simulator = await startSimulator(context)
  const { apiKey, appKey, baseUrl } = accountOf(simulator)
  const keys = { 'dd-api-key': apiKey, 'dd-application-key': appKey }
  for (const [name, url, own] of [
    ['data', `${baseUrl}/api/v1/monitor`, keys],
    ['control', `${simulator.controlUrl}/__sim/state`, {}]
  ] as const) {
    const { host, port } = new URL(url)
    for (const [who, headers] of foreignRequests) {
      const sent = Object.fromEntries(
        Object.entries(headers).map(([key, value]) => [key, value.replace('OWN', host)])
      )
      assert.equal(await ask(url, { ...own, ...sent }), 403, `${name}: ${who}`)
    }
    for (const fine of [
      {},
      { host: `localhost:${port}` },
      { host: `[::1]:${port}` },
      { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' },
      { 'sec-fetch-site': 'none' }
    ])
      assert.equal(await ask(url, { ...own, ...fine }), 200, `${name}: ${JSON.stringify(fine)}`)
  }
  const before = simulator.journal().length
  for (const path of ['reset', 'clock', 'scenario', 'faults', 'webhooks/fire'])
    assert.equal(
      await ask(`${simulator.controlUrl}/__sim/${path}`, { origin: 'http://localhost' }, 'POST'),
      403,
      path
    )
  assert.equal(simulator.journal().length, before)
})

test('a link to a page of an account may be followed from anywhere, into no frame', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const made = await call<{ data: { id: number } }>(account, 'POST', '/api/v1/notebooks', {
    data: { type: 'notebooks', attributes: { name: 'x', cells: [], time: { live_span: '1h' } } }
  })
  const page = `${account.baseUrl}/notebook/${made.body.data.id}`
  const followed = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document'
  }
  assert.equal(await ask(page, followed), 200)
  assert.equal(await ask(page, { ...followed, 'sec-fetch-dest': 'iframe' }), 403)
  assert.equal(await ask(page, { ...followed, host: 'shop.example.com' }), 403)
  assert.equal(await ask(`${account.baseUrl}/api/v1/ip-ranges`, followed), 403)
  const { headers } = await fetch(page)
  assert.match(headers.get('content-security-policy') ?? '', /frame-ancestors 'none'/)
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
})

test('keys are random, stay over a reset, and are fixed by a seed', async context => {
  const keysOf = ({ accounts }: { accounts: readonly SimAccount[] }): string[] =>
    accounts.flatMap(({ apiKey, appKey }) => [apiKey, appKey])
  const [one, two] = [await startSimulator(context), await startSimulator(context)]
  const all = [...keysOf(one), ...keysOf(two)]
  assert.equal(new Set(all).size, 8)
  assert.ok(all.every(key => /^[0-9a-f]{32}$|^[0-9a-f]{40}$/.test(key)))
  const before = keysOf(one)
  one.reset()
  assert.deepEqual(keysOf(one), before)
  const seeded = await startSimulator(context, { seed: 7 })
  assert.deepEqual(keysOf(seeded), keysOf(await startSimulator(context, { seed: 7 })))
  assert.notDeepEqual(keysOf(seeded), keysOf(await startSimulator(context, { seed: 8 })))
})

const hooks = '/api/v1/integration/webhooks/configuration/webhooks'
const store = (account: SimAccount, url: string) =>
  call(account, 'POST', hooks, { name: 'rayne', url, custom_headers: '{"x-a":"b"}' })

test('inside an application a stored webhook reaches the target chosen at start, and nothing else', async context => {
  const [target, other] = [await receiver(context), await receiver(context)]
  const start = async (url: string, given: object) => {
    const simulator = await createSimulator({ t0: T0, now: () => T0 + 20 * MINUTE, ...given })
    context.after(() => simulator.close())
    await store(accountOf(simulator), url)
    return simulator.fireWebhook({ webhook: 'rayne' })
  }
  const chosen = { webhookTarget: { url: target.url } }
  assert.equal((await start(target.url, chosen)).status, 202)
  const tokens = new URL('/v1/tokens', target.url).href
  for (const [url, given] of [
    [tokens, chosen],
    [other.url, chosen],
    [other.url, {}]
  ] as const)
    await assert.rejects(start(url, given), /delivered to the target chosen at start, not to/, url)
  assert.deepEqual([target.received.length, other.received.length], [1, 0])
})

test("by itself it delivers to other programs of this machine, but never behind Rayne's own port", async context => {
  const [rayne, other] = [await receiver(context), await receiver(context)]
  const closed = Number(new URL(rayne.url).port)
  const start = async (url: string, given: object) => {
    const simulator = await startSimulator(context, given)
    await store(accountOf(simulator), url)
    return simulator.fireWebhook({ webhook: 'rayne' })
  }
  const tokens = new URL('/v1/tokens', rayne.url).href
  const byName = tokens.replace('127.0.0.1', 'localhost')
  const chosen = { webhookTarget: { url: rayne.url } }
  assert.equal((await start(other.url, chosen)).status, 202)
  assert.equal((await start(rayne.url, chosen)).status, 202)
  for (const [url, given] of [
    [tokens, chosen],
    [byName, chosen],
    [tokens, { closedPorts: [closed] }],
    [byName, { closedPorts: [closed] }],
    [rayne.url, { closedPorts: [closed] }]
  ] as const)
    await assert.rejects(start(url, given), /not delivered to Rayne's own port/, url)
  assert.deepEqual([rayne.received.length, other.received.length], [1, 1])
})
