import { randomUUID } from 'node:crypto'
import type { Json } from '../datacat/serial-merge.ts'

export const kinds = ['state', 'event', 'metric'] as const
export type Kind = (typeof kinds)[number]

/** `doubtful`: the answer never came, so it may be stored or not, whole. */
export type Fate = 'acknowledged' | 'doubtful'
export interface Item {
  readonly counter: number
  readonly kind: Kind
  readonly patch: Json
  fate: Fate
}

/** What one sender knows of one session; the counters of its items rise in the order they were sent. */
export interface SessionLedger {
  readonly id: string
  readonly items: Item[]
  /** A new item in doubt, until it is answered. */
  add(kind: Kind, patch?: (counter: number) => Json): Item
}

export function createLedger(id: string = randomUUID()): SessionLedger {
  const items: Item[] = []
  return {
    id,
    items,
    add(kind, patch = () => null) {
      const counter = items.length + 1
      const item: Item = { counter, kind, patch: patch(counter), fate: 'doubtful' }
      items.push(item)
      return item
    }
  }
}
