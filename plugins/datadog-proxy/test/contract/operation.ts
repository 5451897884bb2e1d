import type { DatadogFailure } from '../../contract.ts'
import type { OpenAccount } from '../../service/client/account.ts'
import type { Interaction, RecordedRequest, RecordedResponse, Recording } from './recordings.ts'

/** One recorded interaction as it is driven: with the pages that belong to it and the recording it is from. */
export interface Driven {
  readonly interaction: Interaction
  readonly pages: readonly Interaction[]
  readonly recording: Recording
}

/** How one recorded operation is driven through our client and what its result must carry. */
export interface OperationSpec<R> {
  /** Calls the client with inputs from the recorded request. */
  drive(account: OpenAccount, driven: Driven): Promise<R>
  /** Throws unless the typed result carries the recorded facts of these pages. */
  verify(result: R, driven: Driven): void
  /** Request paths that our client sets by its own rules, whatever was recorded. */
  readonly own?: readonly string[]
  /** Request paths it may add to a recording that has none, but must not change. */
  readonly fills?: readonly string[]
  /** Request paths the client is given an input for, so it must not leave out what a recording sends there. */
  readonly sends?: readonly string[]
  /** Answers for the other calls it makes, by `METHOD /path`. */
  readonly companions?: Readonly<Record<string, unknown>>
  /** Answers that come before the recording's own, such as "there is none yet". */
  readonly first?: (request: RecordedRequest) => RecordedResponse | undefined
  /** A recorded 404 is success for this call. */
  readonly goneIsFine?: true
  /** The failure the contract has for a success that does not say what was asked. */
  readonly refuses?: (driven: Driven) => DatadogFailure | undefined
}
export interface Operation extends Omit<OperationSpec<never>, 'drive' | 'verify'> {
  /** Drives the client; what is returned checks the result. */
  run(account: OpenAccount, driven: Driven): Promise<() => void>
}

/** An operation whose result type is its own affair. */
export function operation<R>({ drive, verify, ...rest }: OperationSpec<R>): Operation {
  return {
    ...rest,
    async run(account, driven) {
      const result = await drive(account, driven)
      return () => verify(result, driven)
    }
  }
}
