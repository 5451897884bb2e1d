import { invalid } from '../../../core/index.ts'
import { checkJson, type JsonObject } from './json.ts'
import { sizeOf } from './leaves.ts'
import { maxPatchValues, maxStateBytes, maxStateValues } from './limits.ts'

const whole = (count: number): string => count.toLocaleString('en-US')

/**
 * A state update as it came, checked; throws a 400 that names the place when it is nested too deep
 * or holds a number no float64 can say.
 */
export function readPatch(value: unknown, pointer: string): JsonObject {
  const patch = value as JsonObject
  checkJson(patch, pointer)
  return patch
}

/** Throws a 400 that names the limit when the updates of one request are more than a state may take at once. */
export function checkPatches(patches: readonly JsonObject[], pointer: string): void {
  let [bytes, values] = [0, 0]
  for (const patch of patches) {
    const size = sizeOf(patch)
    bytes = Math.max(bytes, size.bytes)
    values += size.values
  }
  if (bytes > maxStateBytes)
    throw invalid(
      pointer,
      `takes ${whole(bytes)} bytes as JSON text; a state takes at most ${whole(maxStateBytes)}`
    )
  if (values > maxPatchValues)
    throw invalid(
      pointer,
      `brings ${whole(values)} values; one request brings at most ${whole(maxPatchValues)} to a state: ` +
        'send fewer updates at once, or smaller ones'
    )
}

/** The refusal of updates that would make a state larger than it may be. */
export const stateTooLarge = (pointer: string) =>
  invalid(
    pointer,
    `would make the state larger than it may be: ${whole(maxStateBytes)} bytes as JSON text, ` +
      `${whole(maxStateValues)} values`
  )
