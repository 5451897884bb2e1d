import type { Knex } from '../../../core/index.ts'
import { stateStore, type StateBase } from '../store/states.ts'
import { stringify, type JsonObject } from '../wire/json.ts'
import { mergeInto, treeOf, type StateTree } from '../wire/merge.ts'

/** A state in memory out of its text and the patches after it. */
export function treeOfBase({ text, patches }: StateBase): StateTree {
  const tree = treeOf(text)
  for (const patch of JSON.parse(patches) as JsonObject[]) mergeInto(tree, patch)
  return tree
}

/** The JSON text of a state with its patches merged. */
export const stateText = (base: StateBase): string =>
  base.patches === '[]' ? base.text : stringify(treeOfBase(base).root)

/** The state as it was at a time, epoch milliseconds, from the nearest snapshot. */
export const stateAt = async (db: Knex, session: number, at: number): Promise<JsonObject> =>
  treeOfBase(await stateStore.until(db, session, at)).root
