/** How the control plane sets time: a new now, a speed (0 freezes), or a step forward in milliseconds. */
export interface ClockChange {
  readonly now?: number
  readonly speed?: number
  readonly advance?: number
}
export interface Clock {
  now(): number
  set(change: ClockChange): void
  reset(): void
}

/** Virtual time in epoch milliseconds: the given source until it is set, then set time moving at `speed`. */
export function createClock(source: () => number): Clock {
  let override: { at: number; real: number; speed: number } | undefined
  const now = (): number =>
    override ? override.at + (Date.now() - override.real) * override.speed : source()
  return {
    now: () => Math.floor(now()),
    set(change) {
      const at = (change.now ?? now()) + (change.advance ?? 0)
      override = { at, real: Date.now(), speed: change.speed ?? override?.speed ?? 0 }
    },
    reset() {
      override = undefined
    }
  }
}
