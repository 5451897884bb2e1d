import { ok, type Call, type Route } from './route.ts'

/** Names of metrics and hosts. */
export const metricListRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/search', op: 'v1.MetricsApi.listMetrics', handle: search },
  {
    method: 'GET',
    path: '/api/v1/metrics',
    op: 'v1.MetricsApi.listActiveMetrics',
    handle: ({ account, query }) =>
      ok({ metrics: [...account.world.metrics.keys()].toSorted(), from: query.get('from') ?? '0' })
  }
]

/** `q=metrics:text` or `hosts:text`; both kinds without a prefix. */
function search({ account, query }: Call) {
  const [, kind, text = ''] = /^(?:(metrics|hosts):)?(.*)$/s.exec(query.get('q') ?? '') ?? []
  const metrics =
    kind === 'hosts' ? [] : [...account.world.metrics.keys()].filter(name => name.includes(text))
  const hosts =
    kind === 'metrics'
      ? []
      : account.world.hosts.map(host => host.name).filter(name => name.includes(text))
  return ok({ results: { metrics, hosts } })
}
