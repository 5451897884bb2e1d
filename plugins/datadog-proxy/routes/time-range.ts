import { epochMs, invalid, isDay, type EpochMs } from '../../../core/index.ts'
import type { TimeWindow } from '../contract.ts'

const unitMs: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 }
const isoForm =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s?(Z|[+-]?\d\d:?\d\d)?)?$/i

/**
 * A point in time from ISO (UTC without a zone), epoch seconds or milliseconds, or `now`, `now-15m`, `now+2h`; a 400
 * names the field.
 */
export function resolveTime(text: string, pointer: string, now: number = Date.now()): EpochMs {
  const asked = text.trim()
  // A `+` that was not encoded arrives as a blank.
  const relative = /^now(?:([-+ ])(\d{1,6})([smhdw]))?$/.exec(asked)
  if (relative)
    return epochMs(
      now +
        (relative[1] === '-' ? -1 : 1) *
          Number(relative[2] ?? 0) *
          (unitMs[relative[3] ?? 's'] ?? 0)
    )
  if (/^\d{9,10}$/.test(asked)) return epochMs(Number(asked) * 1000)
  if (/^\d{12,13}$/.test(asked)) return epochMs(Number(asked))
  const iso = isoForm.exec(asked)
  const zone = iso?.[3]?.replace(/^(?=\d)/, '+') ?? 'Z'
  const time =
    iso && isDay(asked)
      ? Date.parse(iso[2] === undefined ? asked : `${iso[1]}T${iso[2]}${zone.toUpperCase()}`)
      : Number.NaN
  if (Number.isNaN(time))
    throw invalid(pointer, 'is a time such as 2026-01-02T03:04:05Z, 1767323045, now or now-15m')
  return epochMs(time)
}

/** The window from two texts, an hour before now when they are missing; `where` is `/query` or `/body`. */
export function resolveWindow(
  { from, to }: { readonly from?: string; readonly to?: string },
  where: string,
  defaultFrom = 'now-1h',
  now: number = Date.now()
): TimeWindow {
  const end = resolveTime(to || 'now', `${where}/to`, now)
  const begin = resolveTime(from || defaultFrom, `${where}/from`, now)
  if (begin >= end) throw invalid(`${where}/from`, 'must lie before to')
  return { from: begin, to: end }
}
