import type { Claim, EvidenceRow, EvidenceSlot } from '../contract.ts'
import { rowsOf, textFact } from './read-rows.ts'

const minute = 60_000
const leastCalls = 3
/** The slot of the lines that name a switch; its service and the switch stand in its title and question. */
export const switchSlot = 'logs-switch'

/** What services began to do at the onset, epoch ms: to call the origin, or to write lines that name a switch. */
export function begunAt(
  slots: readonly EvidenceSlot[],
  origin: string | null,
  onset: number
): Map<string, Claim> {
  // What a bucket of the onset holds may be a little earlier.
  const from = onset - 1.5 * minute
  return new Map([
    ...begunLines(slots, from),
    ...(origin === null ? [] : begunCalls(slots, origin, from))
  ])
}

/** Callers of the origin in traces since then, of whom no earlier trace knows, where earlier traces were read. */
function begunCalls(
  slots: readonly EvidenceSlot[],
  origin: string,
  from: number
): [string, Claim][] {
  const spans = rowsOf(slots, 'traces')
  const keyOf = (row: EvidenceRow, id: string): string =>
    `${textFact(row, 'trace_id')} ${textFact(row, id)}`
  const byId = new Map(spans.map(row => [keyOf(row, 'span_id'), row]))
  const calls = spans.flatMap(row => {
    const parent = byId.get(keyOf(row, 'parent_id'))
    const caller = parent && textFact(parent, 'service')
    return textFact(row, 'service') === origin && caller !== undefined && caller !== origin
      ? [{ caller, row }]
      : []
  })
  const early = calls.filter(({ row }) => (row.at ?? 0) < from)
  if (early.length < leastCalls) return []
  const known = new Set(early.map(({ caller }) => caller))
  const late = calls.filter(({ caller, row }) => (row.at ?? 0) >= from && !known.has(caller))
  return [...Map.groupBy(late, ({ caller }) => caller)]
    .flatMap(([caller, found]) =>
      found.length < leastCalls
        ? []
        : [
            [
              caller,
              {
                text: `${caller} began to call ${origin} at the onset: none of the ${early.length} calls before is its`,
                evidence: found.slice(0, 3).map(({ row }) => row.id)
              }
            ] as const
          ]
    )
    .map(([caller, claim]) => [caller, claim])
}

function begunLines(slots: readonly EvidenceSlot[], from: number): [string, Claim][] {
  return slots
    .filter(({ slot }) => slot.startsWith(switchSlot))
    .flatMap(({ rows, title }) => {
      const late = rows.filter(row => (row.at ?? 0) >= from)
      const service = late[0] && textFact(late[0], 'service')
      // Lines from the moment of the switch on belong to it, not to the trouble.
      return service === undefined || late.length < leastCalls || late.length < rows.length
        ? []
        : [
            [
              service,
              {
                text: `${title}: the first at the onset, "${late[0]?.text.slice(0, 120)}"`,
                evidence: late.slice(0, 3).map(({ id }) => id)
              }
            ] as [string, Claim]
          ]
    })
}
