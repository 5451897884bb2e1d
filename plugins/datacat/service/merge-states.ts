import type { Knex } from '../../../core/index.ts'
import { stateStore, type NewCurrent, type NewState, type ValueChange } from '../store/states.ts'
import { stringify, type JsonObject } from '../wire/json.ts'
import { maxStateBytes, maxStateValues } from '../wire/limits.ts'
import { mergeInto, type Merged, type StateTree } from '../wire/merge.ts'
import type { LiveState } from './state-trees.ts'

/** An update of a state and when it says it was; epoch milliseconds. */
export interface Patch {
  readonly patch: JsonObject
  readonly at: number
  /** What a client with a wrong clock said instead. */
  readonly said: number | null
}

// The text of a state up to this size is written with every update, which costs no more than that.
const smallBytes = 4_096
// Reading back a moment merges about this many patches, and at most the second many.
const [updatesBetween, maxUpdatesBetween] = [64, 1_000]

/** Gathers the updates of a flush, in the order they came, and stores them at once. */
export function createMerging() {
  const sessions = new Map<number, Updated>()
  const rows: NewState[] = []
  const changes: ValueChange[] = []
  return {
    /** Merges the updates of one request; false, and nothing changed, when the state gets too large. */
    add(session: number, state: LiveState, patches: readonly Patch[]): boolean {
      const merged = mergeAll(state.tree, patches)
      if (!merged) return false
      const updated = sessions.get(session) ?? { session, state, added: 0, bytes: 0 }
      sessions.set(session, updated)
      for (const { patch, at, said, gone, come } of merged) {
        state.n += 1
        const text = stringify(patch)
        updated.added += 1
        updated.bytes += Buffer.byteLength(text)
        rows.push({ session, n: state.n, at, said, patch: text, snapshot: null })
        for (const leaf of gone) changes.push({ ...leaf, session, current: false })
        for (const leaf of come) changes.push({ ...leaf, session, current: true })
      }
      return true
    },
    /** Stores all of it within a transaction. */
    async save(trx: Knex.Transaction, now: number): Promise<void> {
      if (sessions.size === 0) return
      const current = [...sessions.values()].map(currentOf)
      const snapshots = new Map(
        current.flatMap(one => (one.snapshotN === one.n ? [[one.session, one]] : []))
      )
      const states = rows.map(row => {
        const one = snapshots.get(row.session)
        return one?.n === row.n ? { ...row, snapshot: one.text } : row
      })
      await stateStore.save(trx, states, current, changes, now)
    }
  }
}

/** One session of a flush; bytes are of its patches. */
interface Updated {
  readonly session: number
  readonly state: LiveState
  added: number
  bytes: number
}

function mergeAll(tree: StateTree, patches: readonly Patch[]): (Patch & Merged)[] | undefined {
  const before = { bytes: tree.bytes, values: tree.values }
  const merged = patches.map(patch => ({ ...patch, ...mergeInto(tree, patch.patch) }))
  // A state from before there were limits may still become smaller.
  const isTooLarge =
    (tree.bytes > maxStateBytes && tree.bytes > before.bytes) ||
    (tree.values > maxStateValues && tree.values > before.values)
  if (!isTooLarge) return merged
  for (const one of merged.reverse()) one.undo()
  return undefined
}

/** Writes the text of a state again, and keeps it in the history, when the patches since weigh enough. */
function currentOf({ session, state, added, bytes }: Updated): NewCurrent {
  const { tree, n, mark } = state
  const isSmall = tree.bytes <= smallBytes
  const pendingBytes = mark.pendingBytes + bytes
  const snapshotBytes = mark.snapshotBytes + bytes
  const isSnapshotDue =
    n - mark.snapshotN >= maxUpdatesBetween ||
    (n - mark.snapshotN >= updatesBetween && (isSmall || 2 * snapshotBytes >= tree.bytes))
  const isTextDue =
    isSmall || isSnapshotDue || 2 * pendingBytes >= tree.bytes || n - mark.n >= maxUpdatesBetween
  state.mark = {
    ...(isTextDue ? { n, pendingBytes: 0 } : { n: mark.n, pendingBytes }),
    ...(isSnapshotDue
      ? { snapshotN: n, snapshotBytes: 0 }
      : { snapshotN: mark.snapshotN, snapshotBytes })
  }
  return { ...state.mark, session, added, text: isTextDue ? stringify(tree.root) : null }
}
