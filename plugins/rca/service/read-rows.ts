import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import type { Series } from './engine/change-points.ts'

/** The points of a row that is a series. */
export function seriesOf({ facts }: Pick<EvidenceRow, 'facts'>): Series {
  const packed = facts['points']
  const points = typeof packed === 'string' ? (JSON.parse(packed) as [number, number | null][]) : []
  return {
    times: points.map(([at]) => at),
    values: points.map(([, value]) => value),
    intervalMs: Number(facts['interval'] ?? 60) * 1000
  }
}

/** A fact that is a text, or undefined. */
export const textFact = (row: EvidenceRow, name: string): string | undefined => {
  const value = row.facts[name]
  return typeof value === 'string' ? value : undefined
}

/** The value of one key in a series' scope, `service:a,env:prod`. */
export const inScope = (row: EvidenceRow, key: string): string | undefined =>
  new RegExp(`(?:^|[,\\s{])${key}:([^,\\s}]+)`).exec(textFact(row, 'scope') ?? '')?.[1]

/** All rows of the slots whose name begins so. */
export const rowsOf = (slots: readonly EvidenceSlot[], prefix: string): EvidenceRow[] =>
  slots.filter(({ slot }) => slot === prefix || slot.startsWith(`${prefix}-`)).flatMap(s => s.rows)
