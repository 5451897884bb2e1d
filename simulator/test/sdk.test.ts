import assert from 'node:assert/strict'
import { test } from 'node:test'
import { client, v1, v2 } from '@datadog/datadog-api-client'
import { accountOf, MINUTE, NOW, startSimulator, T0 } from './client.ts'

/** Paths below which the official client met something it does not know. */
function unparsed(value: unknown, path = '$', seen = new Set<unknown>()): string[] {
  if (typeof value !== 'object' || value === null || seen.has(value)) return []
  seen.add(value)
  const own = (value as Record<string, unknown>)['_unparsed'] === true ? [path] : []
  return [
    ...own,
    ...Object.entries(value).flatMap(([key, inner]) => unparsed(inner, `${path}.${key}`, seen))
  ]
}

/** What even the real answers make the client stumble over (datadog-api.md 2.2 and 3). */
const stumbles: readonly (readonly [string, RegExp])[] = [['incidents search', /./]]

const seconds = (at: number): number => at / 1000
const start = new Date(T0 - 30 * MINUTE)
const filter = { query: '', from: start.toISOString(), to: new Date(NOW).toISOString() }

/** What the calls need to know of the simulated account. */
interface Known {
  readonly configuration: ReturnType<typeof client.createConfiguration>
  readonly monitorId: number
  readonly sloId: string
  readonly downtimeId: string
}
type Calls = Readonly<Record<string, () => Promise<unknown>>>

const firstVersion = ({ configuration, monitorId, sloId }: Known): Calls => ({
  validate: () => new v1.AuthenticationApi(configuration).validate(),
  monitors: () =>
    new v1.MonitorsApi(configuration).listMonitors({ groupStates: 'all', withDowntimes: true }),
  monitor: () => new v1.MonitorsApi(configuration).getMonitor({ monitorId }),
  'monitor search': () => new v1.MonitorsApi(configuration).searchMonitors({}),
  'monitor groups': () => new v1.MonitorsApi(configuration).searchMonitorGroups({}),
  hosts: () => new v1.HostsApi(configuration).listHosts({ includeHostsMetadata: true }),
  totals: () => new v1.HostsApi(configuration).getHostTotals({}),
  tags: () => new v1.TagsApi(configuration).listHostTags({}),
  metrics: () =>
    new v1.MetricsApi(configuration).queryMetrics({
      from: seconds(T0),
      to: seconds(NOW),
      query: 'avg:system.cpu.user{*} by {host}'
    }),
  'metric list': () => new v1.MetricsApi(configuration).listMetrics({ q: '' }),
  'v1 events': () =>
    new v1.EventsApi(configuration).listEvents({
      start: seconds(T0 - 60 * MINUTE),
      end: seconds(NOW)
    }),
  'v1 event': () =>
    new v1.EventsApi(configuration).createEvent({
      body: { title: 'a', text: 'b', tags: ['a:b'] }
    }),
  'v1 downtimes': () => new v1.DowntimesApi(configuration).listDowntimes({}),
  notebooks: () => new v1.NotebooksApi(configuration).listNotebooks({}),
  webhook: () =>
    new v1.WebhooksIntegrationApi(configuration).createWebhooksIntegration({
      body: { name: 'w', url: 'http://127.0.0.1:9/' }
    }),
  slos: () => new v1.ServiceLevelObjectivesApi(configuration).listSLOs({}),
  'slo history': () =>
    new v1.ServiceLevelObjectivesApi(configuration).getSLOHistory({
      sloId,
      fromTs: seconds(NOW) - 86_400,
      toTs: seconds(NOW)
    }),
  'slo search': () =>
    new v1.ServiceLevelObjectivesApi(configuration).searchSLO({ query: 'checkout' }),
  locations: () => new v1.SyntheticsApi(configuration).listLocations(),
  'private location': () =>
    new v1.SyntheticsApi(configuration).createPrivateLocation({
      body: { name: 'p', description: 'd', tags: [] }
    }),
  'ip ranges': () => new v1.IPRangesApi(configuration).getIPRanges()
})

const secondVersion = ({ configuration, monitorId, downtimeId }: Known): Calls => ({
  events: () =>
    new v2.EventsApi(configuration).searchEvents({ body: { filter, page: { limit: 100 } } }),
  logs: () => new v2.LogsApi(configuration).listLogs({ body: { filter, page: { limit: 100 } } }),
  'log counts': () =>
    new v2.LogsApi(configuration).aggregateLogs({
      body: {
        filter,
        compute: [
          { aggregation: 'count' },
          { aggregation: 'count', type: 'timeseries', interval: '5m' }
        ],
        groupBy: [{ facet: 'service' }]
      }
    }),
  spans: () =>
    new v2.SpansApi(configuration).listSpans({
      body: { data: { type: 'search_request', attributes: { filter, page: { limit: 100 } } } }
    }),
  'span counts': () =>
    new v2.SpansApi(configuration).aggregateSpans({
      body: {
        data: {
          type: 'aggregate_request',
          attributes: {
            filter,
            compute: [{ aggregation: 'count' }],
            groupBy: [{ facet: 'service' }]
          }
        }
      }
    }),
  timeseries: () =>
    new v2.MetricsApi(configuration).queryTimeseriesData({
      body: {
        data: {
          type: 'timeseries_request',
          attributes: {
            from: T0,
            to: NOW,
            formulas: [{ formula: 'a' }],
            queries: [{ dataSource: 'metrics', name: 'a', query: 'avg:system.cpu.user{*}' }]
          }
        }
      }
    }),
  scalar: () =>
    new v2.MetricsApi(configuration).queryScalarData({
      body: {
        data: {
          type: 'scalar_request',
          attributes: {
            from: T0,
            to: NOW,
            formulas: [{ formula: 'a' }],
            queries: [
              {
                aggregator: 'avg',
                dataSource: 'metrics',
                name: 'a',
                query: 'avg:system.cpu.user{*} by {host}'
              }
            ]
          }
        }
      }
    }),
  downtimes: () => new v2.DowntimesApi(configuration).listDowntimes({}),
  downtime: () => new v2.DowntimesApi(configuration).getDowntime({ downtimeId }),
  'downtime matches': () => new v2.DowntimesApi(configuration).listMonitorDowntimes({ monitorId }),
  incidents: () => new v2.IncidentsApi(configuration).listIncidents({}),
  'incidents search': () =>
    new v2.IncidentsApi(configuration).searchIncidents({ query: 'state:active' }),
  rum: () =>
    new v2.RUMApi(configuration).searchRUMEvents({ body: { filter, page: { limit: 50 } } }),
  'rum applications': () => new v2.RUMApi(configuration).getRUMApplications(),
  'rum counts': () =>
    new v2.RUMApi(configuration).aggregateRUMEvents({
      body: {
        filter,
        compute: [{ aggregation: 'count' }],
        groupBy: [{ facet: '@view.url_path' }]
      }
    }),
  definitions: () =>
    new v2.ServiceDefinitionApi(configuration).listServiceDefinitions({ schemaVersion: 'v2.1' }),
  entities: () => new v2.SoftwareCatalogApi(configuration).listCatalogEntity({}),
  users: () => new v2.UsersApi(configuration).listUsers({}),
  teams: () => new v2.TeamsApi(configuration).listTeams({})
})

test('the official client parses every answer without anything left unparsed', async context => {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const configuration = client.createConfiguration({
    baseServer: new client.BaseServerConfiguration(account.baseUrl, {}),
    authMethods: { apiKeyAuth: account.apiKey, appKeyAuth: account.appKey }
  })
  for (const name of [
    'v2.listIncidents',
    'v2.getIncident',
    'v2.searchIncidents',
    'v2.createIncident',
    'v2.getServiceList'
  ])
    (configuration.unstableOperations as Record<string, boolean>)[name] = true
  const monitors = new v1.MonitorsApi(configuration)
  const downtimes = new v2.DowntimesApi(configuration)
  const slos = new v1.ServiceLevelObjectivesApi(configuration)
  const [first] = await monitors.listMonitors({})
  const [slo] = (await slos.listSLOs({})).data ?? []
  const made = await downtimes.createDowntime({
    body: {
      data: {
        type: 'downtime',
        attributes: {
          scope: 'env:prod',
          monitorIdentifier: { monitorTags: ['*'] },
          schedule: { start: null }
        }
      }
    }
  } as never)
  await new v2.IncidentsApi(configuration).createIncident({
    body: { data: { type: 'incidents', attributes: { title: 'x', customerImpacted: false } } }
  })
  const asked = {
    configuration,
    monitorId: first?.id ?? 0,
    sloId: slo?.id ?? '',
    downtimeId: made.data?.id ?? ''
  }
  const calls = { ...firstVersion(asked), ...secondVersion(asked) }
  const problems: string[] = []
  for (const [name, ask] of Object.entries(calls)) {
    const found = await ask().then(
      answer => unparsed(answer),
      (error: unknown) => [`threw ${String((error as Error).message).slice(0, 300)}`]
    )
    problems.push(
      ...found
        .filter(
          where => !stumbles.some(([known, pattern]) => known === name && pattern.test(where))
        )
        .map(where => `${name}: ${where}`)
    )
  }
  assert.deepEqual(problems, [])
  assert.ok(
    (await calls['incidents search']?.().then(unparsed))?.length,
    'a stumble that is over is taken off the list'
  )
  assert.ok(Object.keys(calls).length >= 38)
})
