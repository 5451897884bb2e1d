import { dayMs, epochMs, hourMs, invalid, minuteMs, secondMs, Type } from '../../core/index.ts'
import type { TimeWindow } from '../../plugins/datadog-proxy/contract.ts'

const maxDays = 7
const unitMs: Readonly<Record<string, number>> = {
  s: secondMs,
  m: minuteMs,
  h: hourMs,
  d: dayMs
}
const pattern =
  '^(?:now(?:-[0-9]{1,5}[smhd])?|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{5,12}(?:Z|[+-][0-9:]{4,5}))$'

/** The window of a tool's question; relative times are resolved once, and the answer says the absolute ones. */
export const Window = {
  from: Type.String({ pattern, maxLength: 40, description: 'ISO time with zone, or now-2h' }),
  to: Type.String({ pattern, maxLength: 40, description: 'ISO time after `from`, or now' })
}

/** Throws `invalid-input` naming the field when the window is empty or longer than 7 days. */
export function readWindow(input: { readonly from: string; readonly to: string }): TimeWindow {
  const now = Date.now()
  const [from, to] = [timeOf('/from', input.from, now), timeOf('/to', input.to, now)]
  if (to <= from) throw invalid('/to', 'must be after `from`')
  if (to - from > maxDays * dayMs)
    throw invalid('/from', `is more than ${maxDays} days before \`to\``)
  return { from: epochMs(from), to: epochMs(to) }
}

function timeOf(field: string, text: string, now: number): number {
  const [, amount = '0', unit = 's'] = /^now(?:-(\d+)([smhd]))?$/.exec(text) ?? []
  const at = text.startsWith('now') ? now - Number(amount) * (unitMs[unit] ?? 0) : Date.parse(text)
  if (!Number.isFinite(at))
    throw invalid(field, 'is not a time: use 2026-01-31T10:00:00Z or now-2h')
  return at
}
