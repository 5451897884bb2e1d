import assert from 'node:assert/strict'
import type { OpenAccount } from '../../service/client/account.ts'
import type { Interaction, RecordedRequest, RecordedResponse, Recording } from './recordings.ts'

/** How one recorded operation is driven through our client and what its result must carry. */
export interface Operation {
  /** Calls the client with inputs from the recorded request. */
  drive(
    account: OpenAccount,
    interaction: Interaction,
    pages: readonly Interaction[],
    recording: Recording
  ): Promise<unknown>
  /** Throws unless the typed result carries the recorded facts of these pages. */
  verify(result: unknown, pages: readonly Interaction[], interaction: Interaction): void
  /** Request paths that our client sets by its own rules, whatever was recorded. */
  readonly own: readonly string[]
  /** Request paths it may add to a recording that has none, but must not change. */
  readonly fills?: readonly string[]
  /** Answers for the other calls it makes, by `METHOD /path`. */
  readonly companions?: Readonly<Record<string, unknown>>
  /** Answers that come before the recording's own, such as "there is none yet". */
  readonly first?: (request: RecordedRequest) => RecordedResponse | undefined
  /** A recorded 404 is success for this call. */
  readonly goneIsFine?: true
}

export type Json = Record<string, any>
export const bodyOf = ({ response }: Interaction): Json => response.body as Json
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
export const dataOf = (pages: readonly Interaction[]): Json[] =>
  pages.flatMap(page => bodyOf(page)?.['data'] ?? [])
export const uniqueBy = (items: readonly Json[], key: string): Json[] => [
  ...new Map(items.map(item => [item[key], item])).values()
]
export const sameSet = (actual: readonly string[], expected: readonly string[] | undefined): void =>
  assert.deepEqual([...actual].sort(), [...new Set(expected ?? [])].sort())
