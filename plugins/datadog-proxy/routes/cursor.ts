import { invalid, epochMs, type EpochMs } from '../../../core/index.ts'
import type { LogTier } from '../service/client/account.ts'

/**
 * Where a deep read goes on: Datadog's cursor holds only for the same query, window, tier and account, so they travel
 * with it.
 */
export interface Cursor {
  readonly account: string
  readonly next: string
  readonly query: string
  readonly from: EpochMs
  readonly to: EpochMs
  readonly tier?: LogTier
}

/** A cursor as one opaque text for callers. */
export const writeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify(cursor)).toString('base64url')

/** The cursor a caller sent back; a 400 names the field when it is not one of ours. */
export function readCursor(text: string, pointer: string): Cursor {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    value = undefined
  }
  const { account, next, query, from, to, tier } = (value ?? {}) as Record<string, unknown>
  const sane =
    [account, next, query].every(one => typeof one === 'string') &&
    [from, to].every(one => Number.isSafeInteger(one)) &&
    (tier === undefined || ['indexes', 'flex', 'online-archives'].includes(String(tier)))
  if (!sane) throw invalid(pointer, 'is not a cursor of an earlier answer')
  return {
    account: account as string,
    next: next as string,
    query: query as string,
    from: epochMs(from as number),
    to: epochMs(to as number),
    ...(tier === undefined ? {} : { tier: tier as LogTier })
  }
}
