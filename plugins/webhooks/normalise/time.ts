import { isDay } from '../../../core/index.ts'

// Nothing alerted before 2000: smaller numbers are zero values, counters and placeholders.
const earliest = Date.UTC(2000, 0, 1)
const latest = 8.64e15
const number = /^[+-]?\d{1,24}(?:\.\d{1,12})?$/
const iso =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)\s?(Z|UTC|GMT|[+-]\d\d:?\d\d)?)?$/i
const rfc2822 =
  /^(?:[a-z]{3},\s?)?\d{1,2}\s[a-z]{3}\s\d{4}\s\d\d:\d\d(?::\d\d)?\s(?:GMT|UTC|UT|Z|[+-]\d{4})$/i
const datadogText = /^([a-z]{3}) (\d{1,2}), (\d{4}),? (\d{1,2}:\d\d) ?([AP]M) UTC$/i

/**
 * Epoch milliseconds from seconds to nanoseconds, ISO 8601 or RFC 2822; a time without a zone is UTC; null when it
 * is none.
 */
export function readTime(value: unknown): number | null {
  const at =
    typeof value === 'number'
      ? fromNumber(value)
      : typeof value === 'string'
        ? fromText(value.trim())
        : null
  return at !== null && Number.isFinite(at) && at >= earliest && at <= latest
    ? Math.round(at)
    : null
}

function fromNumber(value: number): number {
  if (value < 1e11) return value * 1000
  if (value < 1e14) return value
  return value < 1e17 ? value / 1e3 : value / 1e6
}

function fromText(text: string): number | null {
  if (text.length > 64) return null
  if (number.test(text)) return fromNumber(Number(text))
  const [matched, day, clock, zone] = iso.exec(text) ?? []
  if (matched !== undefined && !isDay(matched)) return null
  if (matched !== undefined)
    return Date.parse(`${day}T${(clock ?? '00:00').replace(',', '.')}${offset(zone)}`)
  const [, month, date, year, hour, half] = datadogText.exec(text) ?? []
  if (month !== undefined) return Date.parse(`${date} ${month} ${year} ${hour} ${half} UTC`)
  return rfc2822.test(text) ? Date.parse(text) : null
}

function offset(zone: string | undefined): string {
  if (zone === undefined || /^[a-z]/i.test(zone)) return 'Z'
  return zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`
}
