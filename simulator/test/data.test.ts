import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Truth } from '../scenarios/truth.ts'
import { accountOf, call, metricPath, MINUTE, NOW, search, startSimulator, T0 } from './client.ts'
import type { LogItem, Page } from './wire.ts'

const reads = (): string[] => [
  '/api/v1/validate',
  '/api/v1/monitor?group_states=all',
  '/api/v1/monitor/search',
  '/api/v1/hosts?include_hosts_metadata=true',
  '/api/v1/hosts/totals',
  '/api/v1/tags/hosts',
  '/api/v2/services/definitions?page[size]=100',
  '/api/v1/notebooks',
  metricPath(
    'sum:trace.http.request.errors{service:checkout-api} by {version,env}.as_count()',
    T0 - 30 * MINUTE,
    NOW
  ),
  metricPath('avg:system.cpu.user{*} by {host}', NOW - 86_400_000, NOW),
  `/api/v2/logs/events?filter[from]=${T0 - 30 * MINUTE}&filter[to]=${NOW}&page[limit]=1000`,
  `/api/v2/events?filter[from]=${T0 - 120 * MINUTE}&filter[to]=${NOW}&page[limit]=1000`
]

test('the same seed and time give the same bytes, another seed does not', async context => {
  const texts = async (seed: number): Promise<string[]> => {
    const simulator = await startSimulator(context, { seed })
    return Promise.all(
      reads().map(async path => (await call(accountOf(simulator), 'GET', path)).text)
    )
  }
  const [first, again, other] = [await texts(7), await texts(7), await texts(8)]
  assert.deepEqual(again, first)
  assert.notEqual(other[8], first[8])
  assert.notEqual(other[10], first[10])
})

test('reset gives the same bytes again', async context => {
  const simulator = await startSimulator(context)
  const path = reads()[10] ?? ''
  const before = await call<Page<LogItem>>(accountOf(simulator), 'GET', path)
  simulator.reset()
  const after = await call<Page<LogItem>>(accountOf(simulator), 'GET', path)
  assert.deepEqual(after.body.data, before.body.data)
})

test('keys are checked on every route', async context => {
  const simulator = await startSimulator(context)
  const [us, eu] = [accountOf(simulator), accountOf(simulator, 'eu')]
  const ask = (path: string, headers: Record<string, string>) =>
    fetch(path, { headers }).then(async r => [r.status, await r.text()])
  assert.deepEqual(await ask(`${us.baseUrl}/api/v1/validate`, {}), [
    403,
    '{"errors":["API key required"]}'
  ])
  assert.deepEqual(await ask(`${us.baseUrl}/api/v1/validate`, { 'dd-api-key': 'wrong' }), [
    403,
    '{"errors":["Forbidden"]}'
  ])
  assert.deepEqual(await ask(`${us.baseUrl}/api/v1/validate`, { 'dd-api-key': us.apiKey }), [
    200,
    '{"valid":true}'
  ])
  for (const path of reads().slice(1)) {
    assert.deepEqual(
      await ask(`${us.baseUrl}${path}`, { 'dd-api-key': us.apiKey }),
      [403, '{"errors":["Forbidden"]}'],
      path
    )
    assert.deepEqual(
      await ask(`${us.baseUrl}${path}`, {
        'dd-api-key': us.apiKey,
        'dd-application-key': eu.appKey
      }),
      [403, '{"errors":["Forbidden"]}'],
      path
    )
    assert.deepEqual(
      await ask(`${eu.baseUrl}${path}`, {
        'dd-api-key': us.apiKey,
        'dd-application-key': us.appKey
      }),
      [403, '{"errors":["Forbidden"]}'],
      path
    )
  }
  assert.equal(
    (
      await ask(`${simulator.dataUrl}/api/v1/monitor`, {
        'dd-api-key': us.apiKey,
        'dd-application-key': us.appKey
      })
    )[0],
    200
  )
})

test('an unknown route is a 404 and shows in the journal', async context => {
  const simulator = await startSimulator(context)
  const answer = await call(accountOf(simulator), 'GET', '/api/v1/hosts/app-01')
  assert.deepEqual([answer.status, answer.text], [404, '{"errors":["Not found"]}'])
  assert.deepEqual(
    simulator.journal().map(e => [e.path, e.status, e.unknown_route]),
    [['/api/v1/hosts/app-01', 404, true]]
  )
  await call(accountOf(simulator), 'GET', '/api/v1/hosts')
  assert.equal(simulator.journal().at(-1)?.unknown_route, undefined)
})

test('rate-limit headers come with the answers, and limits hold when asked for', async context => {
  const simulator = await startSimulator(context, { rateLimits: 'observed' })
  const path = reads()[10] ?? ''
  const first = await call(accountOf(simulator), 'GET', '/api/v1/notebooks')
  assert.deepEqual(
    ['limit', 'period', 'remaining', 'reset'].map(k => first.headers.get(`x-ratelimit-${k}`)),
    ['90', '60', '89', '60']
  )
  for (let i = 0; i < 89; i++)
    assert.equal((await call(accountOf(simulator), 'GET', '/api/v1/notebooks')).status, 200)
  const over = await call(accountOf(simulator), 'GET', '/api/v1/notebooks')
  assert.deepEqual([over.status, over.headers.get('x-ratelimit-remaining')], [429, '0'])
  assert.equal((await call(accountOf(simulator, 'eu'), 'GET', '/api/v1/notebooks')).status, 200)
  assert.equal(
    (await call(accountOf(simulator), 'GET', path)).headers.get('x-ratelimit-limit'),
    '300'
  )
})

test('cursor paging returns every row once, in both directions', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  for (const kind of ['logs/events', 'events'] as const) {
    const from = kind === 'events' ? NOW - 30 * 3_600_000 : T0 - 10 * MINUTE
    const to = kind === 'events' ? NOW : T0
    const whole = await search(account, kind, '', from, to)
    const all = whole.body.data.map(row => row.id)
    assert.ok(all.length > 20, kind)
    assert.ok(all.length < 1000, kind)
    assert.equal(new Set(all).size, all.length)
    assert.deepEqual(all, all.toSorted(), 'ids sort in the order of time')
    for (const [sort, expected] of [
      ['timestamp', all],
      ['-timestamp', all.toReversed()]
    ] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await search(
          account,
          kind,
          '',
          from,
          to,
          { limit: 7, ...(cursor === undefined ? {} : { cursor }) },
          sort
        )
        seen.push(...page.body.data.map(row => row.id))
        cursor = (page.body.meta as Partial<Page<unknown>['meta']> | undefined)?.page?.after
      } while (cursor !== undefined)
      assert.deepEqual(seen, expected, `${kind} ${sort}`)
    }
  }
})

test('a cursor ends with a reset, with the recorded double-encoded error', async context => {
  const simulator = await startSimulator(context)
  const page = await search(accountOf(simulator), 'logs/events', '', T0 - 60 * MINUTE, NOW, {
    limit: 5
  })
  const cursor = page.body.meta.page.after
  assert.match(cursor, /^eyJhZnRlciI6/)
  simulator.reset()
  for (const bad of [
    cursor,
    'eyJzdGFydEF0IjoiQVFBQUFYS2tMS3pPbm40NGV3QUFBQUJCV0V0clRFdDZVbG8zY3pCRmNsbHJiVmxDWlEifQ==',
    '%%%'
  ]) {
    const answer = await search(accountOf(simulator), 'logs/events', '', T0 - 60 * MINUTE, NOW, {
      limit: 5,
      cursor: bad
    })
    assert.deepEqual(
      [answer.status, answer.text],
      [
        400,
        '{"errors":["{\'errors\': [u\\"input_validation_error(Field \'page\' is invalid: invalid cursor)\\"]}"]}'
      ]
    )
  }
})

test('nothing on the data plane tells the scenario or its truth', async context => {
  const simulator = await startSimulator(context)
  const secret = new RegExp(
    [
      's1-bad-deploy|bad-deploy|checkout-currency|deploy-staging-inventory|staging-burst|distractor',
      'required_evidence|remediation|truth|scenario|breaks orders in one currency|Roll checkout-api back'
    ].join('|'),
    'i'
  )
  for (const account of simulator.accounts) {
    for (const path of reads()) {
      const answer = await call(account, 'GET', path)
      assert.equal(answer.status, 200, path)
      const found = secret.exec(answer.text)
      assert.equal(found, null, `${path} shows ${found?.[0]}`)
    }
  }
  for (const path of ['/__sim/truth', '/__sim/state', '/__sim/journal'])
    assert.equal((await fetch(`${simulator.dataUrl}${path}`)).status, 404)
  assert.equal(
    ((await (await fetch(`${simulator.controlUrl}/__sim/truth`)).json()) as Truth).component,
    'checkout-api'
  )
})
