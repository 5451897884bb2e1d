import type { SimAccount } from '../simulator.ts'
import { call, MINUTE, NOW, T0 } from './client.ts'
import { nth, type One, type Page } from './wire.ts'

/** One request of the tour and its answer; steps of one life share a note. */
export interface Step {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly body: unknown
  readonly text: string
  readonly note: string
}

const seconds = (at: number): number => Math.floor(at / 1000)
const window = { from: new Date(T0 - 10 * MINUTE).toISOString(), to: new Date(NOW).toISOString() }
const query = (data_source: string) => ({
  from: T0 - 30 * MINUTE,
  to: NOW,
  formulas: [{ formula: 'a' }],
  queries: [
    data_source === 'metrics'
      ? { data_source, name: 'a', query: 'avg:system.cpu.user{*} by {host}', aggregator: 'avg' }
      : { data_source, name: 'a', search: { query: '' }, compute: { aggregation: 'count' } }
  ]
})

const reads = [
  '/api/v1/validate',
  '/api/v2/validate',
  '/api/v2/validate_keys',
  '/api/v1/hosts?include_hosts_metadata=true',
  '/api/v1/hosts/totals',
  '/api/v1/tags/hosts',
  '/api/v1/tags/hosts/app-01',
  '/api/v1/monitor?group_states=all&with_downtimes=true',
  '/api/v1/monitor/search',
  '/api/v1/monitor/groups/search',
  '/api/v1/search?q=',
  `/api/v1/metrics?from=${seconds(T0)}`,
  `/api/v1/query?from=${seconds(T0)}&to=${seconds(NOW)}&query=avg:system.cpu.user{*}`,
  `/api/v2/logs/events?filter[from]=${T0}&filter[to]=${NOW}`,
  `/api/v2/events?filter[from]=${T0 - 60 * MINUTE}&filter[to]=${NOW}`,
  `/api/v2/spans/events?filter[from]=${T0}&filter[to]=${NOW}`,
  `/api/v1/events?start=${seconds(T0 - 60 * MINUTE)}&end=${seconds(NOW)}`,
  '/api/v1/downtime',
  '/api/v2/downtime?include=created_by',
  '/api/v1/notebooks',
  '/api/v1/slo',
  '/api/v1/slo/search?query=checkout',
  '/api/v2/incidents',
  '/api/v2/incidents/search?query=state:active',
  '/api/v2/rum/events',
  '/api/v2/rum/applications',
  '/api/v2/services/definitions',
  '/api/v2/catalog/entity',
  '/api/v2/apm/services?filter[env]=prod',
  '/api/v1/synthetics/locations',
  '/',
  '/api/v2/users',
  '/api/v2/team'
]
const searches: readonly (readonly [string, unknown])[] = [
  [
    '/api/v2/logs/events/search',
    { filter: { query: 'status:error', ...window }, page: { limit: 50 } }
  ],
  ['/api/v2/events/search', { filter: { query: '', ...window }, page: { limit: 50 } }],
  [
    '/api/v2/rum/events/search',
    { filter: { query: '@type:view', ...window }, page: { limit: 20 } }
  ],
  [
    '/api/v2/spans/events/search',
    {
      data: {
        type: 'search_request',
        attributes: {
          filter: { query: 'service:checkout-api', ...window },
          page: { limit: 50 },
          sort: 'timestamp'
        }
      }
    }
  ],
  [
    '/api/v2/spans/analytics/aggregate',
    {
      data: {
        type: 'aggregate_request',
        attributes: {
          filter: { query: '', ...window },
          compute: [
            { aggregation: 'pc95', metric: '@duration', type: 'total' },
            { aggregation: 'count', type: 'timeseries', interval: '5m' }
          ],
          group_by: [{ facet: 'service' }]
        }
      }
    }
  ],
  [
    '/api/v2/logs/analytics/aggregate',
    {
      filter: { query: '*', ...window },
      compute: [
        { aggregation: 'count', type: 'total' },
        { aggregation: 'count', type: 'timeseries', interval: '5m' }
      ],
      group_by: [{ facet: 'service', limit: 5 }, { facet: 'status' }]
    }
  ],
  [
    '/api/v2/rum/analytics/aggregate',
    {
      filter: { query: '@type:view', ...window },
      compute: [{ aggregation: 'pc90', metric: '@view.loading_time', type: 'total' }],
      group_by: [{ facet: '@view.url_path' }]
    }
  ],
  ...['metrics', 'logs', 'spans', 'events', 'rum'].flatMap(
    source =>
      [
        [
          '/api/v2/query/timeseries',
          { data: { type: 'timeseries_request', attributes: query(source) } }
        ],
        ['/api/v2/query/scalar', { data: { type: 'scalar_request', attributes: query(source) } }]
      ] as const
  )
]
const failures: readonly (readonly [string, string, unknown?])[] = [
  ['GET', '/api/v1/monitor/1'],
  ['POST', '/api/v1/monitor', { type: 'log alert', query: 'query' }],
  ['GET', '/api/v2/downtime/nonsense'],
  ['POST', '/api/v2/query/timeseries', {}],
  ['POST', '/api/v2/events', { data: { type: 'event', attributes: { category: 'x' } } }],
  ['GET', '/api/v1/query?query=x&from=1&to=2'],
  ['GET', '/api/v1/slo/0'],
  [
    'POST',
    '/api/v1/slo',
    { name: 'x', type: 'monitor', thresholds: [{ timeframe: '7d', target: 99 }] }
  ],
  ['GET', '/api/v2/incidents/x'],
  ['GET', '/api/v2/services/definitions/none'],
  ['GET', '/api/v2/rum/applications/none'],
  [
    'POST',
    '/api/v2/spans/events/search',
    { data: { type: 'search_request', attributes: { filter: { from: 'now', to: 'now-1h' } } } }
  ]
]

/** Visits every operation of an account once or more, writes included, and keeps each answer. */
export async function tour(account: SimAccount): Promise<Step[]> {
  const steps: Step[] = []
  const go: Go = async <T>(note: string, method: string, path: string, body?: unknown) => {
    const answer = await call<T>(account, method, path, body)
    steps.push({ method, path, status: answer.status, body: answer.body, text: answer.text, note })
    return answer.body
  }
  const events = async (): Promise<void> => {
    await go('intake', 'POST', '/api/v1/events', { title: 't', text: 'x', tags: ['a:b'] })
    await go('intake', 'POST', '/api/v1/events', { title: 't', text: 'x' })
    await go('intake', 'POST', '/api/v2/events', {
      data: {
        type: 'event',
        attributes: {
          category: 'change',
          title: 'Flag',
          attributes: {
            changed_resource: { name: 'flag', type: 'feature_flag' },
            author: { name: 'a', type: 'user' }
          }
        }
      }
    })
    const id = /"id":(\d+)/.exec(
      steps.find(step => step.path.startsWith('/api/v1/events?'))?.text ?? ''
    )?.[1]
    await go('event', 'GET', `/api/v1/events/${id}`)
  }
  await lives(go)
  for (const path of reads) await go('read', 'GET', path)
  for (const [path, body] of searches) await go('search', 'POST', path, body)
  for (const [method, path, body] of failures) await go('failure', method, path, body)
  await events()
  const { data } = await go<Page<unknown>>('slo', 'GET', '/api/v1/slo')
  await go(
    'slo',
    'GET',
    `/api/v1/slo/${nth(data, 0).id}/history?from_ts=${seconds(NOW) - 86_400}&to_ts=${seconds(NOW)}`
  )
  return steps
}

type Go = <T = unknown>(note: string, method: string, path: string, body?: unknown) => Promise<T>

/**
 * One thing that is created, read, changed and deleted; the last steps meet it gone. `T` is the answer its id is
 * in.
 */
interface Life<T> {
  readonly note: string
  readonly base: string
  readonly made: unknown
  readonly change?: readonly [string, unknown]
  idOf(body: T): string
}

async function life<T>(go: Go, { note, base, made, change, idOf }: Life<T>): Promise<void> {
  const path = `${base}/${encodeURIComponent(idOf(await go<T>(note, 'POST', base, made)))}`
  await go(note, 'GET', path)
  if (change) await go(note, change[0], path, change[1])
  await go(note, 'DELETE', path)
  await go(note, 'GET', path)
  await go(note, 'DELETE', path)
}

const notebook = {
  data: {
    type: 'notebooks',
    attributes: {
      name: 'n',
      time: { live_span: '1h' },
      cells: [
        { type: 'notebook_cells', attributes: { definition: { type: 'markdown', text: '# x' } } }
      ]
    }
  }
}
const incident = {
  data: { type: 'incidents', attributes: { title: 'i', customer_impacted: false } }
}
const definition = {
  'schema-version': 'v2.1',
  'dd-service': 'tour',
  team: 't',
  contacts: [],
  links: [],
  tags: []
}
const hooks = '/api/v1/integration/webhooks/configuration/webhooks'

const monitor = {
  type: 'query alert',
  name: 'm',
  query: 'avg(last_5m):avg:system.cpu.user{*} > 99',
  message: '',
  tags: [],
  options: { thresholds: { critical: 99 } }
}
const slo = {
  name: 's',
  type: 'metric',
  query: {
    numerator: 'sum:trace.http.request.hits{*}.as_count()',
    denominator: 'sum:trace.http.request.hits{*}.as_count()'
  },
  thresholds: [{ timeframe: '7d', target: 99 }]
}

async function lives(go: Go): Promise<void> {
  await monitors(go)
  await life<{ data: { id: number } }>(go, {
    note: 'notebook life',
    base: '/api/v1/notebooks',
    made: notebook,
    change: ['PUT', notebook],
    idOf: body => String(body.data.id)
  })
  await go('notebook', 'POST', '/api/v1/notebooks', notebook)
  await life<{ name: string }>(go, {
    note: 'webhook life',
    base: hooks,
    made: { name: 'w', url: 'http://127.0.0.1:9/' },
    change: ['PUT', { url: 'http://127.0.0.1:9/x' }],
    idOf: body => body.name
  })
  await life<Page<unknown>>(go, {
    note: 'slo life',
    base: '/api/v1/slo',
    made: slo,
    change: ['PUT', { ...slo, name: 's2' }],
    idOf: body => nth(body.data, 0).id
  })
  await life<One<unknown>>(go, {
    note: 'incident life',
    base: '/api/v2/incidents',
    made: incident,
    change: ['PATCH', incident],
    idOf: body => body.data.id
  })
  await go('incident', 'POST', '/api/v2/incidents', incident)
  await applications(go)
  await life(go, {
    note: 'definition life',
    base: '/api/v2/services/definitions',
    made: definition,
    idOf: () => 'tour'
  })
  await life<{ private_location: { id: string } }>(go, {
    note: 'location life',
    base: '/api/v1/synthetics/private-locations',
    made: { name: 'p', description: 'd', tags: [] },
    change: ['PUT', { name: 'p2', description: 'd', tags: [] }],
    idOf: body => body.private_location.id
  })
  await hosts(go)
}

async function monitors(go: Go): Promise<void> {
  const base = '/api/v1/monitor'
  await life<{ id: number }>(go, {
    note: 'monitor life',
    base,
    made: monitor,
    change: ['PUT', { name: 'm2' }],
    idOf: body => String(body.id)
  })
  await go('monitor', 'POST', `${base}/validate`, monitor)
  const { id } = await go<{ id: number }>('monitor', 'POST', base, monitor)
  await go('monitor', 'POST', `${base}/${id}/validate`, monitor)
  await go('monitor', 'GET', `${base}/can_delete?monitor_ids=${id}`)
  await go('slo', 'POST', '/api/v1/slo', {
    name: 'watched',
    type: 'monitor',
    monitor_ids: [id],
    thresholds: [{ timeframe: '7d', target: 99 }]
  })
  await go('monitor', 'GET', `${base}/can_delete?monitor_ids=${id}`)
  await downtimes(go, id)
}

async function applications(go: Go): Promise<void> {
  const base = '/api/v2/rum/applications'
  const { data } = await go<One<unknown>>('rum life', 'POST', base, {
    data: { type: 'rum_application_create', attributes: { name: 'a', type: 'browser' } }
  })
  const path = `${base}/${data.id}`
  await go('rum life', 'GET', path)
  await go('rum life', 'PATCH', path, {
    data: { type: 'rum_application_update', id: data.id, attributes: { name: 'b' } }
  })
  for (const method of ['DELETE', 'GET', 'DELETE']) await go('rum life', method, path)
}

async function downtimes(go: Go, monitorId: number): Promise<void> {
  const made = {
    data: {
      type: 'downtime',
      attributes: {
        scope: '*',
        monitor_identifier: { monitor_id: monitorId },
        schedule: { start: null }
      }
    }
  }
  const { data } = await go<One<unknown>>('downtime life', 'POST', '/api/v2/downtime', made)
  const path = `/api/v2/downtime/${data.id}`
  await go('downtime life', 'GET', path)
  await go('downtime', 'GET', `/api/v2/monitor/${monitorId}/downtime_matches`)
  await go('downtime life', 'PATCH', path, {
    data: { type: 'downtime', id: data.id, attributes: { message: 'x' } }
  })
  for (const method of ['DELETE', 'DELETE', 'GET']) await go('downtime life', method, path)
  const old = await go<{ id: number }>('old downtime life', 'POST', '/api/v1/downtime', {
    scope: ['env:prod'],
    start: seconds(NOW),
    end: seconds(NOW) + 600
  })
  for (const [method, body] of [['GET'], ['PUT', { message: 'y' }], ['DELETE']] as const)
    await go('old downtime life', method, `/api/v1/downtime/${old.id}`, body)
  await go('old downtime', 'POST', '/api/v1/downtime', {
    scope: ['env:staging'],
    start: seconds(NOW)
  })
  await go('old downtime', 'POST', '/api/v1/downtime/cancel/by_scope', { scope: 'env:staging' })
}

async function hosts(go: Go): Promise<void> {
  for (const [method, tags] of [['POST', ['a:b']], ['GET'], ['PUT', ['c:d']], ['DELETE']] as const)
    await go('tag life', method, '/api/v1/tags/hosts/tour-host', tags && { tags })
  for (const action of ['mute', 'mute', 'unmute', 'unmute'])
    await go('mute life', 'POST', `/api/v1/host/tour-host/${action}`, {})
}
