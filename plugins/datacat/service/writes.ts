import type { Knex } from '../../../core/index.ts'
import type { AppendStore } from '../store/append.ts'
import type { NewEvent, NewPoint } from '../store/append-rows.ts'
import type { NewSession } from '../store/sessions.ts'
import type { NewPatch } from '../wire/batch.ts'
import type { JsonObject } from '../wire/json.ts'
import type { StateTrees } from './state-trees.ts'
import type { Watch } from './watch.ts'
import type { Beat, Emit } from './watched.ts'

/** One request's writes to one session, checked and ready to be stored; times are epoch milliseconds. */
export interface Writes {
  readonly sessionId: string
  readonly key: string | null
  readonly states: readonly NewPatch[]
  readonly points: readonly NewPoint[]
  readonly events: readonly NewEvent[]
  readonly beat: Beat | null
  readonly end: boolean
  /** Of the request, for the bound of what may wait. */
  readonly bytes: number
}
/** `unknown` = there is no such session and nothing was written. */
export type Stored = 'stored' | 'duplicate' | 'unknown'
/** A session would become larger than it may be, and nothing was written: its state, or its series. */
export type Outcome = Stored | 'too-large' | 'too-many-series'
/** A session to be opened, with what is written to it at once. */
export interface Opening extends NewSession {
  readonly state: JsonObject | null
  readonly beat: Beat | null
}
/** What the writes of a flush are made with. */
export interface WriteParts {
  readonly db: Knex
  readonly emit: Emit
  readonly append: AppendStore
  readonly watch: Watch
  readonly trees: StateTrees
}
