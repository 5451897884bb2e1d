import type { Knex } from '../../../core/index.ts'
import { stateStore, type NewState, type ValueChange } from '../store/states.ts'
import { stringify, type JsonObject } from '../wire/json.ts'
import { merge, type LeafChanges } from '../wire/merge.ts'

/** Patches of one locked session in the order they came; `states` is how many it has had. */
export interface Patches {
  readonly session: number
  readonly states: number
  readonly patches: readonly { readonly patch: JsonObject; readonly at: number }[]
}

// Reading back a moment takes at most this many patches.
const snapshotEvery = 64

/** Merges patches into the current states of locked sessions and keeps each of them; one entry a session. */
export async function mergeStates(
  trx: Knex.Transaction,
  sessions: readonly Patches[],
  now: number
): Promise<void> {
  if (sessions.length === 0) return
  const before = await stateStore.current(
    trx,
    sessions.map(one => one.session)
  )
  const rows: NewState[] = []
  const current = new Map<number, string>()
  const changes: ValueChange[] = []
  for (const { session, states, patches } of sessions) {
    let state = JSON.parse(before.get(session) ?? '{}') as JsonObject
    patches.forEach(({ patch, at }, index) => {
      const leaves: LeafChanges = { gone: [], come: [] }
      state = merge(state, patch, leaves)
      changes.push(
        ...leaves.gone.map(leaf => ({ ...leaf, session, current: false })),
        ...leaves.come.map(leaf => ({ ...leaf, session, current: true }))
      )
      const n = states + index + 1
      rows.push({
        session,
        n,
        at,
        patch: stringify(patch),
        snapshot: n % snapshotEvery === 1 ? stringify(state) : null
      })
    })
    current.set(session, stringify(state))
  }
  await stateStore.save(trx, rows, current, changes, now)
}

/** The state as it was at a time, from the nearest snapshot. */
export async function stateAt(db: Knex, session: number, at: number): Promise<JsonObject> {
  const { snapshot, patches } = await stateStore.until(db, session, at)
  return patches.reduce(
    (state, patch) => merge(state, JSON.parse(patch) as JsonObject),
    JSON.parse(snapshot) as JsonObject
  )
}
