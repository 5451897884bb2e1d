import type { EpochMs } from '../../../core/index.ts'
import type { CallOptions, DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { logFacts, seriesFacts } from './describe-rows.ts'
import { findStep, judgeChange } from './engine/change-points.ts'
import { inEnv, tracesQuestion } from './ask-traces.ts'
import { isGrowing } from './growth.ts'
import { linesAround } from './lines-around.ts'
import { answer, fromRows, type Question } from './question.ts'
import { seriesOf } from './read-rows.ts'

const slotMs = 12_000
const minute = 60_000
const bucketSeconds = 60
const maxServices = 5
/** What runs out, or is shared, by the names the agent's own integrations give it. */
const saturation = [
  'max:hikaricp.connections.active',
  'sum:hikaricp.connections.pending',
  'max:postgresql.connections',
  'avg:postgresql.transactions.idle_in_transaction',
  'max:postgresql.deadlocks',
  'max:postgresql.replication_delay',
  'avg:aws.rds.cpuutilization',
  'avg:redis.mem.used',
  'sum:redis.keys.evicted',
  'max:kafka.consumer_lag',
  'avg:postgresql.rows_fetched',
  'avg:redis.net.commands',
  'avg:kubernetes.cpu.usage.total',
  'avg:runtime.heap.used',
  'max:kubernetes.memory.usage',
  'sum:kubernetes.containers.restarts'
]
const ofHosts = [
  'avg:system.cpu.user',
  'avg:system.mem.pct_usable',
  'max:system.disk.in_use',
  'avg:system.io.await',
  'avg:system.cpu.iowait',
  'avg:system.load.1'
]

/** What the second round of questions is about: the service that alerts, since when it fares badly. */
export interface SurveyInput {
  readonly account: DatadogAccount
  readonly service: string | null
  readonly env: string | null
  readonly window: TimeWindow
  readonly onset: EpochMs
  /** What the first round was answered. */
  readonly answered: readonly EvidenceSlot[]
  readonly signal: AbortSignal
}
interface Subject extends SurveyInput {
  readonly options: CallOptions
}

/**
 * The second round of questions, once it is known since when: traces through the service and whom they name, requests,
 * errors and durations of every service, what is near its limit, and the bad lines of the services in those traces.
 */
export async function survey(input: SurveyInput): Promise<EvidenceSlot[]> {
  const { service, window, answered, signal } = input
  // Datadog that is away is not asked more; nor are logs that were just refused.
  if (service === null || !answered.some(({ rows }) => rows.length > 0)) return []
  const isRefused = answered.some(
    ({ slot, outcome }) => slot === 'logs' && (outcome === 'error' || outcome === 'forbidden')
  )
  const subject: Subject = { ...input, options: { signal, timeoutMs: slotMs } }
  const traces = answer(tracesQuestion({ ...subject, service }), window)
  const services = traces.then(found => servicesOf(found, service))
  const sides = (by: 'version' | 'host'): Promise<EvidenceSlot> =>
    services.then(names => answer(sidesQuestion(subject, by, names), window))
  const lines = services.then(names =>
    Promise.all((isRefused ? [] : names).map(name => answer(linesQuestion(subject, name), window)))
  )
  const first = await Promise.all([
    traces,
    answer(requestsQuestion(subject), window),
    sides('version'),
    sides('host'),
    answer(resourcesQuestion(subject), window)
  ])
  return [...first, ...(await lines)]
}

const where = ({ env }: SurveyInput): string => inEnv(env)
const scope = ({ env }: SurveyInput, ...terms: string[]): string =>
  [...terms, ...(env === null ? [] : [`env:${env}`])].join(',') || '*'

const servicesOf = (traces: EvidenceSlot, first: string): string[] => {
  const counts = new Map<string, number>()
  for (const { facts } of traces.rows)
    if (typeof facts['service'] === 'string')
      counts.set(facts['service'], (counts.get(facts['service']) ?? 0) + 1)
  const others = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return [...new Set([first, ...others.map(([name]) => name)])].slice(0, maxServices)
}

/** Bad lines of one service before and after the onset. */
const linesQuestion = (subject: Subject, service: string): Question => {
  const { account, window, onset, options } = subject
  const query = `service:${service}${where(subject)} status:(error OR critical OR emergency OR warn)`
  return {
    slot: `logs-${service}`,
    title: `Errors and warnings of ${service}`,
    asked: query,
    async ask() {
      const [before, after] = await linesAround(
        account,
        { query, window, moment: onset - minute, most: [40, 60] },
        options
      )
      // Both windows hold a line that was written where they meet.
      const early = new Set(before.rows.map(({ id }) => id))
      const read = fromRows(after, rows =>
        [...before.rows, ...rows.filter(({ id }) => !early.has(id))].map(logFacts)
      )
      return { ...read, truncated: before.truncated || after.truncated, asked: query }
    }
  }
}

const requestQueries = (subject: Subject): string[] => {
  const all = scope(subject)
  const rollup = (how: string): string => `.rollup(${how}, ${bucketSeconds})`
  return [
    `sum:trace.http.request.hits{${all}} by {service}.as_count()${rollup('sum')}`,
    `sum:trace.http.request.errors{${all}} by {service}.as_count()${rollup('sum')}`,
    `avg:trace.http.request.duration.p95{${all}} by {service}${rollup('avg')}`,
    `sum:trace.okhttp.request.hits{${all}} by {service}.as_count()${rollup('sum')}`,
    `sum:trace.okhttp.request.errors{${all}} by {service}.as_count()${rollup('sum')}`,
    `avg:trace.okhttp.request.duration.p95{${all}} by {service}${rollup('avg')}`
  ]
}
const sideQueries = (subject: Subject, by: string, services: readonly string[]): string[] =>
  services.flatMap(name => {
    const own = `{${scope(subject, `service:${name}`)}} by {service,${by}}`
    return [
      `sum:trace.http.request.hits${own}.as_count().rollup(sum, ${bucketSeconds})`,
      `sum:trace.http.request.errors${own}.as_count().rollup(sum, ${bucketSeconds})`,
      `avg:trace.http.request.duration.p95${own}.rollup(avg, ${bucketSeconds})`
    ]
  })
const resourceQueries = (subject: Subject): string[] => [
  ...saturation.map(
    metric => `${metric}{${scope(subject)}} by {service}.rollup(avg, ${bucketSeconds})`
  ),
  ...ofHosts.map(metric => `${metric}{${scope(subject)}} by {host}.rollup(avg, ${bucketSeconds})`)
]

/** Several series in one question. */
const metricQuestion = (
  { account, window, options }: Subject,
  { slot, title, queries }: { slot: string; title: string; queries: readonly string[] }
): Question => {
  const asked = queries.join(', ')
  return {
    slot,
    title,
    asked,
    async ask() {
      const found = await account.metric({ query: queries.join(','), window }, options)
      return { ...fromRows(found, rows => rows.map(seriesFacts)), asked }
    }
  }
}
const requestsQuestion = (subject: Subject): Question =>
  metricQuestion(subject, {
    slot: 'metric-requests',
    title: 'Requests, errors and durations of every service',
    queries: requestQueries(subject)
  })
/** What a bad version, or a bad machine, does alone. */
const sidesQuestion = (
  subject: Subject,
  by: 'version' | 'host',
  services: readonly string[]
): Question =>
  metricQuestion(subject, {
    slot: `metric-${by}s`,
    title: `Requests, errors and durations by ${by}`,
    queries: sideQueries(subject, by, services)
  })

/** Of what may run out, the series that left what is usual at the onset; the others are counted. */
const resourcesQuestion = (subject: Subject): Question => {
  const question = metricQuestion(subject, {
    slot: 'metric-resources',
    title: 'What left its usual range at the onset',
    queries: resourceQueries(subject)
  })
  return {
    ...question,
    async ask() {
      const read = await question.ask()
      const rows = read.rows.filter(row => {
        const change = judgeChange(seriesOf(row), subject.onset)
        if (change !== undefined && change.strength >= 1.5) return true
        // What runs out runs out slowly, so that it is no step at the onset.
        const step = findStep(seriesOf(row), subject.onset + 5 * minute)
        if (step !== undefined && step.at >= subject.onset - 20 * minute) return true
        return isGrowing(seriesOf(row), subject.onset)
      })
      const still = read.rows.length - rows.length
      return { ...read, rows, note: `${still} more series were as usual` }
    }
  }
}
