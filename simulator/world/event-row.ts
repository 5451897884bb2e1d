import { decimal, sortableId, unit } from './random.ts'

/** One event; it can be found a while after it happened (`visibleAt`), as in the real thing. */
export interface EventRow {
  readonly id: string
  /** The id the older API and links know it by: decimal digits, more than a number holds. */
  readonly evtId: string
  readonly at: number
  readonly visibleAt: number
  readonly title: string
  readonly message: string
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly reserved: Readonly<Record<string, string>>
  readonly ref?: string
}

const sourceIds: Record<string, number> = {
  alert: 36,
  kubernetes: 147,
  deployment: 100,
  change: 100
}

/** What an event is made of; `reserved` are the fields a search knows without @. */
export interface EventParts {
  readonly at: number
  readonly title: string
  readonly message: string
  readonly tags: readonly string[]
  readonly reserved: EventRow['reserved']
  readonly type: string
  readonly key: string
  readonly more: Readonly<Record<string, unknown>>
}

/** Searches say `warn` and `ok`, answers `warning` and `success`. */
const shownStatus: Readonly<Record<string, string>> = { warn: 'warning', ok: 'success' }

/** The row of an event; it is indexed 5 to 30 seconds after it happened. */
export function eventRow(seed: number, parts: EventParts): EventRow {
  const { at, title, message, tags, reserved, type, key, more } = parts
  const evtId = decimal(seed, 19)
  const attributes = {
    status: shownStatus[reserved['status'] ?? ''] ?? reserved['status'],
    event_object: key,
    service: reserved['service'] ?? 'undefined',
    title,
    timestamp: at,
    priority: 'normal',
    aggregation_key: key,
    evt: { source_id: sourceIds[reserved['source'] ?? ''] ?? 100, type, id: evtId },
    ...more
  }
  return {
    id: sortableId(at, seed),
    evtId,
    at,
    visibleAt: at + 5000 + Math.floor(unit(seed, 9) * 25_000),
    title,
    message,
    tags,
    attributes,
    reserved
  }
}

/** An event as the v2 API shows it, as JSON text. */
export const eventJson = (row: EventRow): string =>
  JSON.stringify({
    id: row.id,
    type: 'event',
    attributes: {
      timestamp: new Date(row.at).toISOString(),
      message: row.message,
      tags: row.tags,
      attributes: row.attributes
    }
  })
