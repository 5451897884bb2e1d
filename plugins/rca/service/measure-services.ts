import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { createCallGraph, reachable, type Call } from './engine/infer-calls.ts'
import type { ServiceWindow } from './engine/measure-excess.ts'
import { rankServices, type RankedService } from './engine/rank-services.ts'
import { median } from './engine/statistics.ts'
import { inScope, rowsOf, seriesOf, textFact } from './read-rows.ts'

/** How much worse one service does since the onset. */
export interface ServiceTrouble {
  readonly name: string
  /** Added share of failed requests, 0 to 1, and added seconds. */
  readonly addedErrors: number
  readonly addedSeconds: number
  readonly isTroubled: boolean
  readonly evidence: readonly string[]
}
/** Every service with its trouble, worst first, whom each calls, and where the trouble begins. */
export interface Measured {
  readonly services: readonly ServiceTrouble[]
  readonly calls: readonly Call[]
  /** Names that are called and measure nothing themselves. */
  readonly outsiders: ReadonlySet<string>
  readonly origin: RankedService | undefined
}

const minute = 60_000
const leastErrors = 0.005
const leastSeconds = 0.03
const leastGrowth = 1.4

/** Measures every service's requests, errors and durations before and after the onset, epoch ms. */
export function measureServices(
  slots: readonly EvidenceSlot[],
  alerting: string | null,
  onset: number,
  isLatency: boolean
): Measured {
  const rows = rowsOf(slots, 'metric-requests')
  const calls = callsOf(rowsOf(slots, 'traces'))
  const names = [...new Set(rows.flatMap(row => serverName(row) ?? []))].sort()
  const services = names
    .map(name => troubleOf(name, rows, onset))
    .sort((a, b) => severity(b) - severity(a) || b.addedSeconds - a.addedSeconds)
  const measured = new Set(names)
  const stores = new Set(
    rowsOf(slots, 'metric-resources').flatMap(r => inScope(r, 'service') ?? [])
  )
  const peers = rowsOf(slots, 'traces').flatMap(row => textFact(row, 'peer') ?? [])
  return {
    services,
    calls,
    outsiders: new Set(peers.filter(name => !measured.has(name) && !stores.has(name))),
    origin:
      alerting !== null && measured.has(alerting)
        ? originOf(alerting, names, rows, calls, onset, isLatency)
        : undefined
  }
}

/** Failures weigh before slowness; what is below the noise of errors counts as none. */
const severity = ({ addedErrors }: ServiceTrouble): number =>
  addedErrors >= leastErrors ? addedErrors : 0

const serverName = (row: EvidenceRow): string | undefined =>
  /http\.request/.test(metricOf(row)) && !/okhttp/.test(metricOf(row))
    ? inScope(row, 'service')
    : undefined
const metricOf = (row: EvidenceRow): string => textFact(row, 'metric') ?? row.text

function callsOf(spans: readonly EvidenceRow[]): Call[] {
  const byId = new Map(
    spans.map(row => [`${textFact(row, 'trace_id')} ${textFact(row, 'span_id')}`, row])
  )
  return spans.flatMap(row => {
    const service = textFact(row, 'service')
    if (service === undefined) return []
    const parent = byId.get(`${textFact(row, 'trace_id')} ${textFact(row, 'parent_id')}`)
    const caller = parent && textFact(parent, 'service')
    const peer = textFact(row, 'peer')
    return [
      ...(caller === undefined || caller === service ? [] : [[caller, service] as const]),
      ...(peer === undefined ? [] : [[service, peer] as const])
    ]
  })
}

interface Loads {
  readonly hits: ReadonlyMap<number, number>
  readonly errors: ReadonlyMap<number, number>
  readonly seconds: ReadonlyMap<number, number>
  readonly evidence: readonly string[]
}
function loadsOf(name: string, rows: readonly EvidenceRow[]): Loads {
  const own = rows.filter(row => serverName(row) === name)
  const points = (pattern: RegExp): ReadonlyMap<number, number> => {
    const row = own.find(one => pattern.test(metricOf(one)))
    if (!row) return new Map()
    const { times, values } = seriesOf(row)
    return new Map(times.flatMap((at, i) => (values[i] == null ? [] : [[at, values[i]] as const])))
  }
  return {
    hits: points(/hits/),
    errors: points(/errors/),
    seconds: points(/duration/),
    evidence: own.filter(row => /errors|duration/.test(metricOf(row))).map(({ id }) => id)
  }
}

function troubleOf(name: string, rows: readonly EvidenceRow[], onset: number): ServiceTrouble {
  const { hits, errors, seconds, evidence } = loadsOf(name, rows)
  const level = (values: ReadonlyMap<number, number>, isIn: (at: number) => boolean): number => {
    const found = median([...values].filter(([at]) => isIn(at)).map(([, value]) => value))
    return Number.isFinite(found) ? found : 0
  }
  const rates = new Map(
    [...hits].filter(([, n]) => n > 0).map(([at, n]) => [at, (errors.get(at) ?? 0) / n])
  )
  const isBefore = (at: number): boolean => at < onset - minute
  const isAfter = (at: number): boolean => at >= onset + minute
  const addedErrors = level(rates, isAfter) - level(rates, isBefore)
  const usual = level(seconds, isBefore)
  const addedSeconds = level(seconds, isAfter) - usual
  return {
    name,
    addedErrors,
    addedSeconds,
    isTroubled:
      (addedErrors >= leastErrors && addedErrors > level(rates, isBefore)) ||
      (addedSeconds >= leastSeconds && addedSeconds >= (leastGrowth - 1) * usual),
    evidence
  }
}

/** Where the extra time or failures of the alerting service begin. */
function originOf(
  target: string,
  names: readonly string[],
  rows: readonly EvidenceRow[],
  calls: readonly Call[],
  onset: number,
  isLatency: boolean
): RankedService | undefined {
  // Who calls the alerting service waits for it: that is the trouble's way out, not where it begins.
  const graph = createCallGraph(calls)
  const callers = reachable(graph.callers, target)
  const below = reachable(graph.callees, target)
  const loads = new Map(
    names
      .filter(name => name === target || !callers.has(name) || below.has(name))
      .map(name => [name, loadsOf(name, rows)])
  )
  const times = [...new Set([...loads.values()].flatMap(({ hits }) => [...hits.keys()]))].sort(
    (a, b) => a - b
  )
  const window: ServiceWindow = {
    times: times.map(at => at / 1000),
    bucketSeconds: 60,
    services: [...loads].map(([name, { hits, errors, seconds }]) => ({
      name,
      requests: times.map(at => hits.get(at) ?? null),
      latencySeconds: times.map(at => seconds.get(at) ?? null),
      availability: times.map(at => {
        const n = hits.get(at)
        return n === undefined || n === 0 ? null : 1 - (errors.get(at) ?? 0) / n
      })
    }))
  }
  return rankServices({
    target,
    trouble: isLatency ? 'latency' : 'errors',
    onset: onset / 1000,
    window,
    calls
  }).ranked[0]
}
