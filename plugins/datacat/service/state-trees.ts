import type { Knex } from '../../../core/index.ts'
import { stateStore, type StateMark } from '../store/states.ts'
import type { JsonObject } from '../wire/json.ts'
import { mergeInto, treeOf, type StateTree } from '../wire/merge.ts'
import { treeOfBase } from './state-text.ts'

/** A state after its nth update, and where its written text stands. */
export interface LiveState {
  readonly tree: StateTree
  n: number
  mark: StateMark
}
/** A locked session and how many updates it has had. */
export interface Wanted {
  readonly session: number
  readonly states: number
}

// As JSON text; in memory a state takes some times as much.
const maxKeptBytes = 16_000_000
const unwritten: StateMark = { n: 0, pendingBytes: 0, snapshotN: 0, snapshotBytes: 0 }

/**
 * States this process has merged lately, so that the next patch need not read them. Who takes one
 * gives it back after the commit; after a failure it is read anew.
 */
export function createStateTrees() {
  const kept = new Map<number, LiveState>()
  let bytes = 0
  const forget = (session: number): void => {
    bytes -= kept.get(session)?.tree.bytes ?? 0
    kept.delete(session)
  }
  return {
    /** The states of locked sessions as they are now, by session key. */
    async take(db: Knex, wanted: readonly Wanted[]): Promise<Map<number, LiveState>> {
      const states = new Map<number, LiveState>()
      for (const { session, states: n } of wanted) {
        const state = n === 0 ? { tree: treeOf('{}'), n, mark: unwritten } : kept.get(session)
        forget(session)
        if (state && state.n <= n) states.set(session, state)
      }
      await readMissing(db, wanted, states)
      await catchUp(db, wanted, states)
      return states
    },
    /** Keeps states whose transaction was committed; those not used for longest make room. */
    keep(states: ReadonlyMap<number, LiveState>): void {
      for (const [session, state] of states) {
        forget(session)
        kept.set(session, state)
        bytes += state.tree.bytes
      }
      for (const session of kept.keys()) {
        if (bytes <= maxKeptBytes) return
        forget(session)
      }
    }
  }
}
export type StateTrees = ReturnType<typeof createStateTrees>

async function readMissing(
  db: Knex,
  wanted: readonly Wanted[],
  states: Map<number, LiveState>
): Promise<void> {
  const missing = wanted.filter(({ session }) => !states.has(session))
  if (missing.length === 0) return
  const keys = missing.map(({ session }) => session)
  const found = await stateStore.current(db, keys)
  for (const { session, states: n } of missing) {
    const base = found.get(session)
    if (!base) throw new Error(`session ${session} has ${n} updates and no state`)
    const { text, patches, ...mark } = base
    states.set(session, { tree: treeOfBase({ text, patches }), n, mark })
  }
}

/** Merges what other processes have written since. */
async function catchUp(
  db: Knex,
  wanted: readonly Wanted[],
  states: ReadonlyMap<number, LiveState>
): Promise<void> {
  const behind = new Map<number, number>()
  for (const { session, states: n } of wanted) {
    const state = states.get(session)
    if (state && state.n < n) behind.set(session, state.n)
  }
  if (behind.size === 0) return
  for (const [session, { patches, ...mark }] of await stateStore.after(db, behind)) {
    const state = states.get(session)
    if (!state) continue
    const list = JSON.parse(patches) as JsonObject[]
    for (const patch of list) mergeInto(state.tree, patch)
    state.n += list.length
    state.mark = mark
  }
}
