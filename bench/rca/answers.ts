import { setTimeout as wait } from 'node:timers/promises'
import type { EpochMs } from '../../core/index.ts'
import type {
  DatadogAccount,
  DatadogEvent,
  DatadogLog,
  DatadogRows,
  DatadogService,
  DatadogSpan,
  TimeWindow
} from '../../plugins/datadog-proxy/contract.ts'

/** A Datadog whose every call takes the same time, and what its calls of one analysis took. */
export interface TimedDatadog {
  readonly service: DatadogService
  /** Forgets the calls so far; `onNotebook` hears when the report is stored and its notebook is asked for. */
  begin(onNotebook: () => void): void
  calls(): { readonly count: number; readonly sumMs: number }
}

const minute = 60_000
const services = ['web-gateway', 'checkout-api', 'inventory-svc', 'payments-svc']

/** What an analysis does not ask for. */
const unasked = (): Promise<never> => Promise.reject(new Error('an analysis does not ask this'))

/** Answers every question with a small incident of checkout-api; each call lasts `callMs`. */
export function createTimedDatadog(callMs: number): TimedDatadog {
  let [count, sumMs] = [0, 0]
  let onNotebook = (): void => {}
  const timed = async <T>(answer: T): Promise<T> => {
    const started = performance.now()
    await wait(callMs)
    count += 1
    sumMs += performance.now() - started
    return answer
  }
  const found = <T>(query: string, rows: readonly T[]): Promise<DatadogRows<T>> =>
    timed({ rows, truncated: false, warnings: [], asked: { query, limit: 100 } })
  const account: DatadogAccount = {
    name: 'main',
    site: 'datadoghq.com',
    simulated: false,
    appUrl: 'https://app.datadoghq.com',
    searchMonitors: ({ query }) => found(query, []),
    monitor: id =>
      timed({
        id,
        name: 'checkout-api 5xx',
        type: 'query alert',
        query: 'sum(last_5m):sum:trace.http.request.errors{service:checkout-api}.as_count() > 9',
        message: '',
        tags: ['service:checkout-api', 'env:prod'],
        state: 'Alert',
        thresholds: { critical: 9 },
        priority: null
      }),
    events: ({ query, window }) => found(query, eventsIn(window)),
    logs: ({ query, window }) => found(query, logsIn(window)),
    spans: ({ query, window }) => found(query, spansIn(window)),
    hosts: ({ filter }) => found(filter, []),
    metric: ({ query, window }) => found(query, seriesIn(query, window)),
    aggregateLogs: unasked,
    rumEvents: unasked,
    services: unasked,
    incidents: unasked,
    slos: unasked,
    sloHistory: unasked,
    get: unasked,
    downtimes: unasked,
    createDowntime: unasked,
    cancelDowntime: unasked,
    muteHost: unasked,
    findNotebook: () => timed(undefined),
    notebook: id => timed({ id, name: '', url: '', cells: [] }),
    updateNotebook: (id, { name }) => timed({ id, name, url: '' }),
    createEvent: () => timed({ url: '' }),
    createNotebook: async draft => {
      onNotebook()
      return timed({ id: '1', name: draft.name, url: 'https://app.datadoghq.com/notebook/1' })
    }
  }
  const own = { name: 'main', site: 'datadoghq.com', simulated: false, isDefault: true }
  return {
    service: {
      account: async () => account,
      accountOfOrg: async () => undefined,
      list: async () => [own]
    },
    begin(heard) {
      ;[count, sumMs] = [0, 0]
      onNotebook = heard
    },
    calls: () => ({ count, sumMs })
  }
}

const at = (time: number): EpochMs => time as EpochMs

const eventsIn = ({ to }: TimeWindow): DatadogEvent[] =>
  Array.from({ length: 6 }, (_, n) => ({
    id: `e${n}`,
    at: at(to - (8 + 9 * n) * minute),
    title: `Deployed ${services[n % 4]} 1.${n}.0`,
    message: 'Rollout on all instances',
    tags: [`service:${services[n % 4]}`, `version:1.${n}.0`, 'env:prod'],
    source: 'deployment'
  }))

const logsIn = ({ from, to }: TimeWindow): DatadogLog[] =>
  Array.from({ length: 40 }, (_, n) => ({
    id: `${to}-${n}`,
    at: at(to - Math.floor(((to - from) * n) / 40)),
    status: 'error',
    message: `TypeError: cannot read order ${n} of cart ${n * 7}`,
    service: services[1 + (n % 2)] ?? '',
    tags: ['env:prod', 'version:1.1.0'],
    attributes: {}
  }))

const spansIn = ({ to }: TimeWindow): DatadogSpan[] =>
  Array.from({ length: 48 }, (_, n) => ({
    id: `${to}-${n}`,
    traceId: `t${Math.floor(n / 4)}`,
    spanId: `s${n}`,
    ...(n % 4 === 0 ? {} : { parentId: `s${n - 1}` }),
    service: services[n % 4] ?? '',
    resource: 'checkout',
    status: n % 3 === 0 ? 'error' : 'ok',
    at: at(to - n * 1000),
    tags: [],
    attributes: {}
  }))

/** One series a service for every metric asked, an hour in minutes, with a step eight minutes before the end. */
function seriesIn(query: string, { from, to }: TimeWindow) {
  const metrics = [...query.matchAll(/:([a-z][\w.]+)\{/g)].map(found => found[1] ?? '')
  return metrics.flatMap(metric =>
    services.map(service => ({
      metric,
      scope: `env:prod,service:${service}`,
      intervalSeconds: 60,
      points: Array.from({ length: Math.floor((to - from) / minute) }, (_, n) => ({
        at: at(from + n * minute),
        value: (from + n * minute > to - 8 * minute ? 40 : 10) + ((n * 7) % 5)
      }))
    }))
  )
}
