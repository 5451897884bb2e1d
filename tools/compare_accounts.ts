import { errorText, isoTime, Type } from '../core/index.ts'
import { defineReader, searchText } from './kit/reader.ts'
import { Summary, summaryOf } from './kit/summary.ts'
import { readWindow, Window } from './kit/window.ts'

export default defineReader({
  name: 'compare_accounts',
  title: 'Compare accounts',
  description: [
    'The same metric query in several Datadog accounts side by side, with statistics of each series. Use it to see',
    'whether a trouble is in one account or in all. It cannot join data of different accounts.'
  ],
  input: {
    accounts: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
      minItems: 2,
      maxItems: 10,
      uniqueItems: true,
      description: 'names from list_accounts; `account` is not used'
    }),
    query: searchText('e.g. sum:trace.http.request.errors{env:prod}.as_count()'),
    ...Window
  },
  row: Type.Object({
    account: Type.String(),
    simulated: Type.Boolean(),
    metric: Type.String(),
    scope: Type.String(),
    ...Summary,
    problem: Type.String({ description: 'why an account has no figures' })
  }),
  timeoutMs: 40_000,
  example: {
    accounts: ['us', 'eu'],
    query: 'avg:system.cpu.user{*}',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z'
  },
  async ask({ accounts: names, query, ...input }, { accounts, signal }) {
    const window = readWindow(input)
    // An unknown name fails the call; a Datadog that fails is a row that says so.
    const opened = await Promise.all(names.map(name => accounts.account(name)))
    const parts = await Promise.all(
      opened.map(async account => {
        const about = { account: account.name, simulated: account.simulated }
        const nothing = { ...about, metric: '', scope: '', ...summaryOf([]) }
        try {
          const { rows } = await account.metric({ query, window }, { signal })
          if (rows.length === 0) return [{ ...nothing, problem: 'answered: nothing matches' }]
          return rows.slice(0, 50).map(({ metric, scope, points }) => ({
            ...about,
            metric,
            scope,
            ...summaryOf(points.map(({ value }) => value)),
            problem: rows.length > 50 ? `50 of ${rows.length} series are shown` : ''
          }))
        } catch (error) {
          signal.throwIfAborted()
          return [{ ...nothing, problem: errorText(error) }]
        }
      })
    )
    return {
      rows: parts.flat(),
      truncated: parts.some(part => part[0]?.problem.includes('are shown')),
      warnings: [],
      asked: { query, from: isoTime(window.from), to: isoTime(window.to) }
    }
  }
})
