import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { accountOf, call, MINUTE, NOW, search, startSimulator, T0 } from './client.ts'
import { spans } from './measure.ts'
import {
  nth,
  type DowntimeItem,
  type EventItem,
  type LogItem,
  type MonitorItem,
  type One,
  type Page,
  type Refusal,
  type Row,
  type SpanItem,
  type Tags,
  type TimeseriesAnswer
} from './wire.ts'

const DAY = 86_400_000
const advance = (controlUrl: string, ms: number) =>
  fetch(`${controlUrl}/__sim/clock`, { method: 'POST', body: JSON.stringify({ advance_ms: ms }) })

test('storage tiers: each is silently empty beyond its retention; security has an index', async context => {
  const simulator = await startSimulator(context)
  const count = async (daysAgo: number, filter: object): Promise<number> =>
    (
      await call<Page<LogItem>>(accountOf(simulator), 'POST', '/api/v2/logs/events/search', {
        filter: {
          query: '',
          from: new Date(NOW - daysAgo * DAY).toISOString(),
          to: new Date(NOW - daysAgo * DAY + 10 * MINUTE).toISOString(),
          ...filter
        },
        page: { limit: 1000 }
      })
    ).body.data.length
  assert.deepEqual(
    [
      (await count(1, {})) > 0,
      await count(4, {}),
      (await count(4, { storage_tier: 'flex' })) > 0,
      await count(40, { storage_tier: 'flex' }),
      (await count(40, { storage_tier: 'online-archives' })) > 0
    ],
    [true, 0, true, 0, true]
  )
  const both = (
    await call<Page<LogItem>>(accountOf(simulator), 'POST', '/api/v2/logs/events/search', {
      filter: {
        from: new Date(NOW - 3 * DAY - 5 * MINUTE).toISOString(),
        to: new Date(NOW - 3 * DAY + 5 * MINUTE).toISOString()
      },
      page: { limit: 1000 }
    })
  ).body
  assert.equal(both.meta.status, 'done', 'partial, and it does not say so')
  assert.ok(both.data.every(row => Date.parse(row.attributes.timestamp) >= NOW - 3 * DAY))
  assert.deepEqual(
    [(await count(1, { indexes: ['main'] })) > 0, await count(1, { indexes: ['nowhere'] })],
    [true, 0]
  )
  assert.equal(
    (
      await call(accountOf(simulator), 'POST', '/api/v2/logs/events/search', {
        filter: { storage_tier: 'frozen' }
      })
    ).status,
    400
  )
})

test('an application key without the scope is refused, and only there', async context => {
  const base = JSON.parse(readFileSync(new URL('../scenarios/base.json', import.meta.url), 'utf8'))
  const simulator = await startSimulator(context, {
    scenario: {
      ...base,
      accounts: [{ ...base.accounts[0], scopes: ['monitors_read', 'timeseries_query'] }]
    }
  })
  const status = async (path: string, body?: unknown): Promise<number> =>
    (await call(accountOf(simulator), body === undefined ? 'GET' : 'POST', path, body)).status
  assert.deepEqual(
    [
      await status('/api/v1/monitor'),
      await status('/api/v1/hosts'),
      await status('/api/v1/validate')
    ],
    [200, 200, 200]
  )
  for (const [path, body] of [
    ['/api/v2/logs/events/search', {}],
    ['/api/v2/downtime'],
    ['/api/v1/slo'],
    ['/api/v2/incidents'],
    ['/api/v1/notebooks', {}],
    ['/api/v1/monitor', {}]
  ] as const)
    assert.equal(await status(path, body), 403, path)
})

test('written events are found once they are indexed, with ids that a number cannot hold', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const made = (
    await call<{ event: { id: number; id_str: string } }>(account, 'POST', '/api/v1/events', {
      title: 'Deployed x',
      text: 'y',
      tags: ['service:x']
    })
  ).body.event
  assert.ok(!Number.isSafeInteger(made.id))
  assert.equal(
    String(BigInt(made.id_str)) === String(made.id),
    false,
    'the number is rounded, the text is not'
  )
  await call(account, 'POST', '/api/v2/events', {
    data: {
      type: 'event',
      attributes: {
        category: 'change',
        title: 'Flag on',
        tags: ['env:prod'],
        attributes: {
          changed_resource: { name: 'f', type: 'feature_flag' },
          impacted_resources: [{ name: 'search-svc', type: 'service' }],
          new_value: { on: true }
        }
      }
    }
  })
  const found = async (): Promise<Page<EventItem>['data']> =>
    (await search(account, 'events', '"Deployed x" OR "Flag on"', NOW - MINUTE, NOW + 10 * MINUTE))
      .body.data
  assert.equal((await found()).length, 0)
  await advance(simulator.controlUrl, 31_000)
  assert.deepEqual((await found()).map(event => event.attributes.attributes.service).toSorted(), [
    'search-svc',
    'x'
  ])
  assert.equal(
    (await call<{ event: { title: string } }>(account, 'GET', `/api/v1/events/${made.id_str}`)).body
      .event.title,
    'Deployed x'
  )
  assert.deepEqual(
    (await call(account, 'POST', '/api/v1/events', { title: 'old', text: 'old', date_happened: 1 }))
      .status,
    400
  )
})

test('tags are eventually consistent: the POST answers none, a later GET has both', async context => {
  const simulator = await startSimulator(context)
  const path = '/api/v1/tags/hosts/app-01'
  const before = (await call<Tags>(accountOf(simulator), 'GET', path)).body.tags.length
  const made = await call<Tags>(accountOf(simulator), 'POST', path, { tags: ['a:1', 'b:2'] })
  assert.deepEqual([made.status, made.body.tags], [201, []])
  assert.equal((await call<Tags>(accountOf(simulator), 'GET', path)).body.tags.length, before)
  await advance(simulator.controlUrl, 4001)
  assert.deepEqual((await call<Tags>(accountOf(simulator), 'GET', path)).body.tags.slice(-2), [
    'a:1',
    'b:2'
  ])
  assert.equal(
    (
      await call<{ tags: Record<string, string[]> }>(
        accountOf(simulator),
        'GET',
        '/api/v1/tags/hosts'
      )
    ).body.tags['a:1']?.[0],
    'app-01'
  )
})

test('v2 timeseries leaves out what has no data, lines groups up and does arithmetic', async context => {
  const simulator = await startSimulator(context)
  const ask = async (queries: object[], formula: string) =>
    (
      await call<TimeseriesAnswer>(accountOf(simulator), 'POST', '/api/v2/query/timeseries', {
        data: {
          type: 'timeseries_request',
          attributes: {
            from: T0 - 10 * MINUTE,
            to: T0 + 10 * MINUTE,
            interval: 60_000,
            formulas: [{ formula }],
            queries
          }
        }
      })
    ).body.data.attributes
  const errors = {
    data_source: 'metrics',
    name: 'a',
    query: 'sum:trace.http.request.errors{service:checkout-api,env:prod} by {version}.as_count()'
  }
  const hits = {
    data_source: 'metrics',
    name: 'b',
    query: 'sum:trace.http.request.hits{service:checkout-api,env:prod} by {version}.as_count()'
  }
  const { series, times, values } = await ask([errors, hits], 'a / b * 100')
  const canary = series.findIndex(one => one.group_tags[0] === 'version:2.41.0')
  assert.ok(
    nth(values, canary)
      .slice(-5)
      .every(value => value > 15 && value < 21)
  )
  assert.ok(times.length >= 19)
  const sparse = await ask(
    [
      {
        data_source: 'logs',
        name: 'a',
        search: { query: '"Cannot read properties"' },
        compute: { aggregation: 'count' }
      }
    ],
    'a'
  )
  assert.ok(
    sparse.times.every(at => at >= T0 - MINUTE),
    'minutes before the onset are absent, not zero'
  )
  assert.ok(sparse.times.length < times.length)
  const wrong = {
    data: {
      type: 'timeseries_request',
      attributes: { from: T0 / 1000, to: NOW / 1000, queries: [errors] }
    }
  }
  assert.deepEqual(
    (await call(accountOf(simulator), 'POST', '/api/v2/query/timeseries', wrong)).body,
    { errors: ['Queries ending outside the retention date are invalid'] },
    'seconds by mistake'
  )
})

test('downtimes of both versions are one store, and their end states come in any order', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const made = (
    await call<{ id: number; uuid: string }>(account, 'POST', '/api/v1/downtime', {
      scope: ['env:prod', 'service:redis'],
      start: NOW / 1000
    })
  ).body
  const path = `/api/v2/downtime/${made.uuid}`
  assert.equal(
    (await call<One<DowntimeItem>>(account, 'GET', path)).body.data.attributes.scope,
    'env:prod AND service:redis'
  )
  const orders = new Set<string>()
  for (let i = 0; i < 12; i++)
    orders.add(
      (
        await call<One<DowntimeItem>>(account, 'GET', path)
      ).body.data.attributes.notify_end_states.join()
    )
  assert.ok(orders.size > 1)
  assert.equal((await call(account, 'DELETE', path)).status, 204)
  assert.equal(
    (await call<{ status: string }>(account, 'GET', `/api/v1/downtime/${made.id}`)).body.status,
    'canceled'
  )
  for (const [scope, message] of [
    ['prod', 'All values must have a key'],
    ['', 'Invalid scope parameter']
  ])
    assert.deepEqual(
      (
        await call<Refusal>(account, 'POST', '/api/v2/downtime', {
          data: {
            type: 'downtime',
            attributes: { scope, monitor_identifier: { monitor_tags: ['*'] } }
          }
        })
      ).body.errors,
      [message]
    )
})

test('objectives follow from the metrics: the incident costs checkout its budget', async context => {
  const simulator = await startSimulator(context)
  const sli = async (name: string): Promise<number> => {
    const account = accountOf(simulator, name)
    const { id } = nth((await call<Page<unknown>>(account, 'GET', '/api/v1/slo')).body.data, 0)
    const history = await call<{ data: { overall: { sli_value: number } } }>(
      account,
      'GET',
      `/api/v1/slo/${id}/history?from_ts=${T0 / 1000}&to_ts=${NOW / 1000}`
    )
    return history.body.data.overall.sli_value
  }
  const [hurt, calm] = [await sli('us1'), await sli('eu')]
  assert.ok(hurt < 99.4 && calm > 99.4, `${hurt} and ${calm}`)
})

test('a monitor made by a client is evaluated like the others', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const make = async (limit: number): Promise<string> =>
    (
      await call<MonitorItem>(account, 'POST', '/api/v1/monitor', {
        type: 'query alert',
        query: `avg(last_5m):avg:system.cpu.user{host:batch-01} > ${limit}`,
        name: 'batch',
        tags: ['team:data']
      })
    ).body.overall_state
  assert.deepEqual([await make(80), await make(99)], ['Alert', 'OK'])
  assert.equal(
    (await call<MonitorItem[]>(account, 'GET', '/api/v1/monitor?name=batch')).body.length,
    2
  )
})

test('spans page through every row once, and count up to what the logs say', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const all = await spans(account, 'service:checkout-api status:error', 5, 8)
  const paged: Row<SpanItem>[] = []
  let cursor: string | undefined
  do {
    const body = {
      data: {
        type: 'search_request',
        attributes: {
          filter: {
            query: 'service:checkout-api status:error',
            from: new Date(T0 + 5 * MINUTE).toISOString(),
            to: new Date(T0 + 8 * MINUTE).toISOString()
          },
          sort: 'timestamp',
          page: { limit: 50, ...(cursor === undefined ? {} : { cursor }) }
        }
      }
    }
    const page = (
      await call<Partial<Page<SpanItem>>>(account, 'POST', '/api/v2/spans/events/search', body)
    ).body
    paged.push(...(page.data ?? []))
    cursor = page.meta?.page?.after
  } while (cursor !== undefined)
  assert.deepEqual(
    paged.map(span => span.id),
    all.map(span => span.id)
  )
  assert.ok(
    all.length > 600 &&
      all.filter(span => span.attributes.tags.includes('version:2.41.0')).length / all.length > 0.97
  )
  const gateway = await spans(
    account,
    'service:web-gateway status:error @http.status_code:500',
    5,
    8
  )
  assert.ok(
    Math.abs(gateway.length / all.length - 0.6) < 0.08,
    'the gateway shows 0.6 of the failures'
  )
  const late = await spans(account, 'service:checkout-api', 19.9, 30)
  assert.ok(
    late.every(span => Date.parse(span.attributes.end_timestamp) <= NOW),
    'nothing that has not ended'
  )
})
