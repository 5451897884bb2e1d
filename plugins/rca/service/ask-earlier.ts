import { epochMs } from '../../../core/index.ts'
import type { CallOptions, DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { seriesFacts } from './describe-rows.ts'
import { answer, fromRows } from './question.ts'

/** The slot of the monitor's metric in earlier windows. */
export const earlierMetric = 'earlier-metric'

const hour = 3_600_000

/**
 * The monitor's metric in three earlier windows of the same length, so that its buckets are as wide: the two before,
 * and the day before at the same hour.
 */
export function askEarlier(
  account: DatadogAccount,
  query: string,
  { from, to }: TimeWindow,
  options: CallOptions
): Promise<EvidenceSlot> {
  const length = to - from
  const windows = [24 * hour, 2 * length, length].map((ago): TimeWindow => ({
    from: epochMs(from - ago),
    to: epochMs(to - ago)
  }))
  const all: TimeWindow = { from: windows[0]?.from ?? from, to: from }
  return answer(
    {
      slot: earlierMetric,
      title: "The monitor's metric at earlier times",
      asked: query,
      async ask() {
        const found = await Promise.all(
          windows.map(window => account.metric({ query, window }, options))
        )
        const read = found.map(one => fromRows(one, rows => rows.map(seriesFacts)))
        return {
          rows: read.flatMap(({ rows }) => rows),
          truncated: read.some(({ truncated }) => truncated),
          note: 'the two windows before, and the day before at the same hour',
          asked: query
        }
      }
    },
    all
  )
}

/** The query that was asked of the monitor's metric, where it was answered. */
export const metricQueryOf = (slots: readonly EvidenceSlot[]): string | undefined =>
  slots.find(({ slot, rows }) => slot === 'metric' && rows.length > 0)?.asked
