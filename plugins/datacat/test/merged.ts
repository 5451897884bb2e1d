import type { JsonObject } from '../wire/json.ts'
import { mergeInto, treeOf, type Merged } from '../wire/merge.ts'

/** A state with a patch merged, and what went and came; neither argument is changed. */
export function mergeOf(
  state: JsonObject,
  patch: JsonObject
): Pick<Merged, 'gone' | 'come'> & { readonly after: JsonObject } {
  const tree = treeOf(JSON.stringify(state))
  const { gone, come } = mergeInto(tree, patch)
  return { gone, come, after: tree.root }
}

/** The same without what went and came. */
export const mergedOf = (state: JsonObject, patch: JsonObject): JsonObject =>
  mergeOf(state, patch).after
