import { errorText, isoTime, Type } from '../core/index.ts'
import type { DatadogSlo, SloHistory } from '../plugins/datadog-proxy/contract.ts'
import { spannedPage } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'
import { readWindow, Window } from './kit/window.ts'

const numberOrNull = Type.Union([Type.Number(), Type.Null()])

export default defineReader({
  name: 'get_slo_status',
  title: 'Service level objectives',
  description: [
    'Objectives and how they did over a window: the share that was good against the target, and what is left of the',
    'error budget. Use it for how much users were hurt. It cannot say why.'
  ],
  input: {
    query: Type.String({
      maxLength: 500,
      default: '',
      description: 'words of name or tags, e.g. service:checkout-api; all when left out'
    }),
    ...Window,
    limit: limitOf(20, 5)
  },
  row: Type.Object({
    id: Type.String(),
    name: Type.String(),
    type: Type.String(),
    target_percent: numberOrNull,
    value_percent: numberOrNull,
    state: Type.String(),
    budget_left_percent: Type.Union([Type.Number(), Type.Null()], {
      description: 'of what the target allows over this window; below 0 it is overspent'
    }),
    query: Type.String(),
    tags: Type.String(),
    problem: Type.String()
  }),
  timeoutMs: 40_000,
  example: {
    query: 'checkout',
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
    limit: 5
  },
  async ask({ query, limit, ...input }, { account, signal }) {
    const window = readWindow(input)
    const found = await account.slos({ query, limit }, { signal })
    const rows = await Promise.all(
      found.rows.map(async slo => {
        try {
          return rowOf(slo, await account.sloHistory({ id: slo.id, window }, { signal }))
        } catch (error) {
          signal.throwIfAborted()
          return rowOf(slo, { value: null, state: 'unknown', errors: [errorText(error)] })
        }
      })
    )
    return {
      ...found,
      rows,
      asked: { query, from: isoTime(window.from), to: isoTime(window.to) },
      link: spannedPage(account, '/slo/manage', window, { query }),
      whenEmpty: 'no objective has these words in its name or tags'
    }
  }
})

function rowOf(slo: DatadogSlo, { value, state, errors }: SloHistory) {
  const [first] = slo.targets
  const left =
    value === null || first === undefined || first.target >= 100
      ? null
      : Math.round((1 - (100 - value) / (100 - first.target)) * 1_000) / 10
  return {
    id: slo.id,
    name: slo.name,
    type: slo.type,
    target_percent: first?.target ?? null,
    value_percent: value,
    state,
    budget_left_percent: left,
    query: slo.query ?? slo.monitorIds.map(id => `monitor ${id}`).join(', '),
    tags: slo.tags.join(','),
    problem: errors.join('; ').slice(0, 500)
  }
}
