import { epochMs } from '../../../core/index.ts'
import type {
  CallOptions,
  DatadogAccount,
  DatadogLog,
  DatadogRows,
  TimeWindow
} from '../../datadog-proxy/contract.ts'

/** The newest log lines of a query before a moment and after it: what is new can only be told by both. */
export function linesAround(
  account: DatadogAccount,
  asked: {
    readonly query: string
    readonly window: TimeWindow
    readonly moment: number
    readonly most: readonly [before: number, after: number]
  },
  options: CallOptions
): Promise<[before: DatadogRows<DatadogLog>, after: DatadogRows<DatadogLog>]> {
  const { query, window, most } = asked
  const split = epochMs(Math.max(window.from, asked.moment))
  const sort = 'newest'
  return Promise.all([
    account.logs(
      { query, window: { from: window.from, to: split }, limit: most[0], sort },
      options
    ),
    account.logs({ query, window: { from: split, to: window.to }, limit: most[1], sort }, options)
  ])
}
