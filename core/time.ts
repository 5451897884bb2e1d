declare const unit: unique symbol
/** Seconds, milliseconds and nanoseconds do not mix: Datadog uses all three. */
export type EpochSeconds = number & { readonly [unit]: 'epoch-seconds' }
export type EpochMs = number & { readonly [unit]: 'epoch-ms' }
export type Ns = number & { readonly [unit]: 'ns' }

export const epochMs = (value: number): EpochMs => Math.round(value) as EpochMs
export const toSeconds = (value: EpochMs): EpochSeconds => Math.floor(value / 1000) as EpochSeconds
export const nowMs = (): EpochMs => Date.now() as EpochMs
export const isoTime = (value: EpochMs): string => new Date(value).toISOString()

/** How many milliseconds, or seconds, a unit of time has. */
export const secondMs = 1_000
export const minuteMs = 60_000
export const hourMs = 3_600_000
export const dayMs = 86_400_000
export const daySeconds = 86_400

/** Whether a text that begins with `2026-02-28` begins with a day that the calendar has. */
export function isDay(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(text) ?? []
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  return at.getUTCMonth() === Number(month) - 1 && at.getUTCDate() === Number(day)
}
