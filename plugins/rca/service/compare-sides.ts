import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { median } from './engine/statistics.ts'
import { inScope, rowsOf, seriesOf, textFact } from './read-rows.ts'

/** How one side of a service, a version or a host, does before and after a time. */
export interface Side {
  readonly name: string
  /** Requests after the time. */
  readonly requests: number
  /** Shares of failed requests, 0 to 1, and durations in seconds. */
  readonly errors: { readonly before: number; readonly after: number }
  readonly seconds: { readonly before: number; readonly after: number }
  readonly evidence: readonly string[]
}

const minute = 60_000
const leastErrors = 0.01
const leastSeconds = 0.05
const leastGrowth = 1.6
// A side with fewer requests than this share of all tells nothing.
const leastPart = 0.03

/** The sides of a service that serve since the onset, epoch ms: by `version` or by `host`, largest first. */
export function sidesOf(
  slots: readonly EvidenceSlot[],
  service: string,
  by: 'version' | 'host',
  onset: number
): Side[] {
  const rows = rowsOf(slots, by === 'version' ? 'metric-versions' : 'metric-hosts').filter(
    row => inScope(row, 'service') === service
  )
  const sides = [...Map.groupBy(rows, row => inScope(row, by) ?? '')].flatMap(([name, own]) =>
    name === '' ? [] : [sideOf(name, own, onset)]
  )
  const all = sides.reduce((sum, { requests }) => sum + requests, 0)
  return sides
    .filter(({ requests }) => requests > 0 && requests >= leastPart * all)
    .sort((a, b) => b.requests - a.requests || (a.name < b.name ? -1 : 1))
}

function sideOf(name: string, rows: readonly EvidenceRow[], onset: number): Side {
  const points = (pattern: RegExp): ReadonlyMap<number, number> => {
    const row = rows.find(one => pattern.test(textFact(one, 'metric') ?? ''))
    if (!row) return new Map()
    const { times, values } = seriesOf(row)
    return new Map(times.flatMap((at, i) => (values[i] == null ? [] : [[at, values[i]] as const])))
  }
  const [hits, failed, seconds] = [points(/hits/), points(/errors/), points(/duration/)]
  const rates = new Map(
    [...hits].flatMap(([at, n]) => (n > 0 ? [[at, (failed.get(at) ?? 0) / n] as const] : []))
  )
  const level = (values: ReadonlyMap<number, number>, isIn: (at: number) => boolean): number => {
    const found = median([...values].filter(([at]) => isIn(at)).map(([, value]) => value))
    return Number.isFinite(found) ? found : 0
  }
  const around = (values: ReadonlyMap<number, number>): { before: number; after: number } => ({
    before: level(values, at => at < onset - minute),
    after: level(values, at => at >= onset + minute)
  })
  return {
    name,
    requests: [...hits].reduce((sum, [at, n]) => sum + (at >= onset + minute ? n : 0), 0),
    errors: around(rates),
    seconds: around(seconds),
    evidence: rows
      .filter(row => /errors|duration/.test(textFact(row, 'metric') ?? ''))
      .map(({ id }) => id)
  }
}

/** Whether a side does worse than it did, or, when it is new, worse than the usual level given. */
export const isWorse = ({ errors, seconds }: Side, usual?: Side): boolean => {
  const failedBefore = errors.before || (usual?.errors.before ?? 0)
  const tookBefore = seconds.before || (usual?.seconds.before ?? 0)
  return (
    (errors.after - failedBefore >= leastErrors && errors.after >= 2 * failedBefore) ||
    (tookBefore > 0 &&
      seconds.after - tookBefore >= leastSeconds &&
      seconds.after >= leastGrowth * tookBefore)
  )
}

/** How much of a service's trouble one side has: `alone`, `shared`, `none`, or `unknown` where no other side serves. */
export function blameOfSide(
  sides: readonly Side[],
  name: string
): { readonly of: 'alone' | 'shared' | 'none' | 'unknown'; readonly evidence: readonly string[] } {
  const own = sides.find(side => side.name === name)
  const others = sides.filter(side => side.name !== name)
  if (!own || others.length === 0) return { of: 'unknown', evidence: [] }
  const usual = others[0]
  const worse = others.filter(side => isWorse(side))
  const evidence = [...own.evidence, ...others.flatMap(side => side.evidence)]
  if (!isWorse(own, usual)) return { of: worse.length > 0 ? 'none' : 'unknown', evidence }
  return { of: worse.length === 0 ? 'alone' : 'shared', evidence }
}
