const unitMs = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 } as const
type Unit = keyof typeof unitMs

/** A number of eleven digits or less is seconds, which reach into the year 5138. */
const ofDigits = (digits: number): number => (digits < 1e11 ? digits * 1000 : digits)

/** Epoch ms of what a recording writes for a time: ISO, epoch in s or ms as number or text, `now`, `now-15m`. */
export function instantOf(value: unknown, recordedAt: number): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? ofDigits(value) : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d{9,16}(?:\.\d+)?$/.test(text)) return ofDigits(Number(text))
  const relative = /^now(?:\s*([+-])\s*(\d+)([smhdw]))?$/.exec(text)
  if (relative) {
    const [, sign = '-', count = '0', unit = 's'] = relative
    const ms = Number(count) * unitMs[unit as Unit]
    return recordedAt + (sign === '-' ? -ms : ms)
  }
  const time = /^\d{4}-/.test(text) ? Date.parse(text) : NaN
  return Number.isNaN(time) ? undefined : time
}
