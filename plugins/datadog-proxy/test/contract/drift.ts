import { isDeepStrictEqual } from 'node:util'
import { instantOf } from './instants.ts'
import type { RecordedRequest } from './recordings.ts'

/** One difference between a request that was sent and the recorded one. */
export interface Drift {
  readonly kind: 'added' | 'changed' | 'not sent'
  readonly at: string
}

/**
 * Where two requests differ, as paths such as `body.page.limit`; two ways to write the same value are no difference.
 */
export function driftOf(
  sent: RecordedRequest,
  recorded: RecordedRequest,
  recordedAt: number
): Drift[] {
  const ours = leaves({ query: sent.query, body: sent.body })
  const theirs = leaves({ query: recorded.query, body: recorded.body })
  return [...new Set([...ours.keys(), ...theirs.keys()])].flatMap((at): Drift[] => {
    if (!theirs.has(at)) return [{ kind: 'added', at }]
    if (!ours.has(at)) return [{ kind: 'not sent', at }]
    return isSame(ours.get(at), theirs.get(at), recordedAt) ? [] : [{ kind: 'changed', at }]
  })
}

/** Equal values, equal texts, the same instant, or the same JSON inside a text. */
function isSame(a: unknown, b: unknown, recordedAt: number): boolean {
  if (isDeepStrictEqual(a, b) || String(a) === String(b)) return true
  const [left, right] = [instantOf(a, recordedAt), instantOf(b, recordedAt)]
  if (left !== undefined && left === right) return true
  const [ours, theirs] = [jsonIn(a), jsonIn(b)]
  return ours !== undefined && isDeepStrictEqual(ours, theirs)
}

function jsonIn(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[{[]/.test(value)) return undefined
  try {
    return JSON.parse(value) as unknown
  } catch {
    return undefined
  }
}

/** Every value by its path; null and empty lists say as little as what is absent. */
function leaves(value: unknown, at = '', found = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value !== 'object' || value === null) {
    if (value !== null && value !== undefined) found.set(at, value)
    return found
  }
  for (const [key, inner] of Object.entries(value))
    leaves(inner, at === '' ? key : `${at}.${key}`, found)
  return found
}
