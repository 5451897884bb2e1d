import { print, ratio, table, whole } from '../figures.ts'
import type { Datacat } from './server.ts'

/** How much is measured. */
export interface Setting {
  readonly rounds: number
  /** Length of one measurement of a load. */
  readonly seconds: number
  /** Requests of one size in a round of appends. */
  readonly appends: number
  /** Points of the largest session. */
  readonly largest: number
  /** Requests in a round of charts. */
  readonly charts: number
  readonly coldStarts: number
  readonly soakSeconds: number
}

export interface MemorySample {
  readonly part: string
  readonly at: number
  readonly node: number
  readonly postgres: number
}

/** Reads memory twice a second, for as long as the run takes. */
export interface MemorySampler {
  readonly samples: readonly MemorySample[]
  /** Samples from now on belong to this part. */
  enter(part: string): void
  stop(): void
}

/** What every part works on. */
export interface Bench {
  readonly server: Datacat
  readonly setting: Setting
  readonly memory: MemorySampler
  /** The session with the most points, filled when it is first asked for. */
  largest(): Promise<string>
}

/** One figure beside what is asked of it. */
export interface Limit {
  readonly what: string
  readonly measured: number
  readonly relation: '≥' | '≤' | '='
  readonly limit: number
}
export interface PartResult {
  readonly part: string
  readonly limits: readonly Limit[]
  readonly figures: unknown
}

export const holds = ({ measured, relation, limit }: Limit): boolean =>
  relation === '≥' ? measured >= limit : relation === '≤' ? measured <= limit : measured === limit

export function printLimits(limits: readonly Limit[]): void {
  const figure = (value: number): string =>
    Math.abs(value) < 1_000 && !Number.isInteger(value) ? ratio(value) : whole(value)
  print(
    table(
      ['limit', 'measured', '', 'asked', ''],
      limits.map(limit => [
        limit.what,
        figure(limit.measured),
        limit.relation,
        figure(limit.limit),
        holds(limit) ? 'pass' : 'FAIL'
      ])
    )
  )
}

/** Runs each measurement of a round once, the order moving on with each round, so that none has the best place. */
export async function inTurn<K extends string, T>(
  names: readonly K[],
  round: number,
  measure: (name: K) => Promise<T>
): Promise<Record<K, T>> {
  const found: Partial<Record<K, T>> = {}
  for (const index of names.keys()) {
    const name = names[(index + round) % names.length]!
    found[name] = await measure(name)
  }
  return found as Record<K, T>
}
