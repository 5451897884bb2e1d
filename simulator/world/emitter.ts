import type { Tags } from './effects.ts'

/** A thing that emits data: one service version on one host, or the host itself (then without a service). */
export interface Emitter {
  readonly tags: Tags
  readonly params: Readonly<Record<string, number>>
  readonly share: number
  readonly from: number
  readonly until: number
}
