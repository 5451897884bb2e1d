import { epochMs, invalid, isoTime, Type } from '../core/index.ts'
import type { DatadogAccount, TimeWindow } from '../plugins/datadog-proxy/contract.ts'
import { SignalsToken } from '../plugins/rca/contract.ts'
import { timedPage } from './kit/links.ts'
import { defineReader, limitOf, searchText } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

/** Lines read of each side; how many there are in all is counted, so that a sample is weighed right. */
const mostLines = 1_000

export default defineReader({
  name: 'log_patterns',
  title: 'Log patterns before and after',
  description: [
    'Shapes of log lines that are new, gone, more or fewer after a time than before it. Use it with the onset of a',
    'trouble to see which words began with it. It cannot see shapes rarer than its sample of 1000 lines a side.'
  ],
  input: {
    query: searchText('e.g. service:checkout-api; leave out status to see all shapes'),
    ...Window,
    split: Type.String({ format: 'date-time', description: 'ISO time between both: the onset' }),
    limit: limitOf(100, 25)
  },
  row: Type.Object({
    change: Type.String({ description: 'new, vanished, more or fewer' }),
    service: Type.String(),
    pattern: Type.String(),
    before: Type.Integer(),
    after: Type.Integer(),
    times_as_often: Type.Union([Type.Number(), Type.Null()], { description: 'null when new' }),
    first_at: Type.String(),
    example: Type.String()
  }),
  needs: { signals: SignalsToken },
  timeoutMs: 40_000,
  example: {
    query: 'service:checkout-api',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    split: '2026-01-31T10:30:00Z',
    limit: 25
  },
  async ask({ query, split, limit, ...input }, { account, signal }, { signals }) {
    const window = readWindow(input)
    const at = epochMs(Date.parse(split))
    if (!(window.from < at && at < window.to))
      throw invalid('/split', 'must lie between `from` and `to`')
    const [before, after] = await Promise.all([
      side(account, query, { from: window.from, to: at }, signal),
      side(account, query, { from: at, to: window.to }, signal)
    ])
    const lines = [...before.lines, ...after.lines]
    const patterns = signals.patterns({ lines, from: window.from, split: at, until: window.to + 1 })
    return {
      rows: patterns.slice(0, limit).map(({ change, source, text, firstAt, examples, ...one }) => ({
        change,
        service: source,
        pattern: text.slice(0, 500),
        before: Math.round(one.before),
        after: Math.round(one.after),
        times_as_often: Number.isFinite(one.ratio) ? Number(one.ratio.toPrecision(3)) : null,
        first_at: isoTime(epochMs(firstAt)),
        example: lines[examples[0] ?? -1]?.text.slice(0, 500) ?? ''
      })),
      total: patterns.length,
      truncated: patterns.length > limit,
      warnings: [...new Set([...before.warnings, ...after.warnings])],
      asked: { query, from: isoTime(window.from), to: isoTime(window.to) },
      link: timedPage(account, '/logs', window, { query, viz: 'pattern' }),
      whenEmpty: `${lines.length} lines were compared and no shape changed its rate twofold`
    }
  }
})

/** The lines of one side, each standing for as many as there are in all. */
async function side(
  account: DatadogAccount,
  query: string,
  window: TimeWindow,
  signal: AbortSignal
) {
  const [found, counted] = await Promise.all([
    account.logs({ query, window, limit: mostLines }, { signal }),
    account.aggregateLogs({ query, window, limit: 1 }, { signal })
  ])
  const { rows, warnings, truncated } = found
  const all = truncated ? Math.max(counted.rows[0]?.value ?? 0, rows.length) : rows.length
  const count = rows.length === 0 ? 1 : all / rows.length
  const which = `${isoTime(window.from)} to ${isoTime(window.to)}`
  return {
    lines: rows.map(({ message, at, service = '' }) => ({
      text: message,
      at,
      source: service,
      count
    })),
    warnings: truncated
      ? [
          ...warnings,
          `the newest ${rows.length} of ${all} lines from ${which} stand for all of them`
        ]
      : warnings
  }
}
