import { invalid, Type, type Static } from '../../../core/index.ts'
import type { DatadogObject, TimeWindow } from '../contract.ts'
import type { DatadogPage, LogTier } from '../service/client/account.ts'
import { accountsQuery, askAccounts, type Answers } from './ask-accounts.ts'
import { readCursor, writeCursor, type Cursor } from './cursor.ts'
import { About, aboutOf, Nullable, Row, rowsOf, totalOf } from './list-answer.ts'
import { resolveWindow } from './time-range.ts'
import type { Datadog } from '../service/datadog.ts'
import type { AddRoute } from './add-route.ts'

const time = (usual: string) =>
  Type.Optional(
    Type.String({
      maxLength: 40,
      description: `ISO, epoch or now-15m; ${usual} when absent or empty`
    })
  )
const text = Type.String({ default: '*', maxLength: 8000, description: "Datadog's log search" })
const tier = Type.Optional(
  Type.Union(
    (['indexes', 'flex', 'online-archives'] as const).map(name => Type.Literal(name)),
    { description: 'Only this storage; without it the next one is asked when one has no lines' }
  )
)
const limit = Type.Integer({ minimum: 1, maximum: 1000, default: 50 })
const sort = Type.Union([Type.Literal('timestamp'), Type.Literal('-timestamp')], {
  default: 'timestamp'
})

const Simple = Type.Object({
  query: text,
  from: time('now-15m'),
  to: time('now'),
  limit,
  sort,
  storage_tier: tier
})
const Advanced = Type.Object({
  filter: Type.Object(
    {
      query: text,
      indexes: Type.Array(Type.String({ minLength: 1 }), { default: ['main'], minItems: 1 }),
      from: time('now-15m'),
      to: time('now'),
      storage_tier: tier
    },
    { default: {} }
  ),
  sort,
  page: Type.Object(
    {
      limit,
      cursor: Type.Optional(
        Type.String({
          maxLength: 8000,
          description: '`meta.page.after` of the answer before; it carries the query and the window'
        })
      )
    },
    { default: {} }
  )
})
const Found = Type.Object({
  data: Type.Array(Row),
  links: Type.Object({ next: Type.Optional(Type.String()) }),
  meta: Type.Object({
    page: Type.Object({ after: Type.Optional(Type.String()) }),
    status: Type.String()
  }),
  total_count: Nullable,
  truncated: Type.Boolean(),
  ...About
})
const query = Type.Object({ account: accountsQuery }, { additionalProperties: false })

interface Asking {
  readonly query: string
  readonly window: TimeWindow
  readonly limit: number
  readonly sort: 'timestamp' | '-timestamp'
  readonly indexes: readonly string[]
  readonly tier?: LogTier
  readonly cursor?: Cursor
}

async function search(
  datadog: Datadog,
  account: string | undefined,
  asking: Asking,
  signal: AbortSignal
): Promise<Static<typeof Found>> {
  const { cursor, sort: order, ...rest } = asking
  if (cursor && account !== undefined && account !== cursor.account)
    throw invalid('/body/page/cursor', `belongs to the account ${cursor.account}`)
  const found = await askAccounts(datadog, cursor?.account ?? account, { signal }, (one, options) =>
    one.page(
      {
        of: 'logs',
        ...rest,
        sort: order === 'timestamp' ? 'oldest' : 'newest',
        ...(cursor === undefined ? {} : { cursor: cursor.next })
      },
      options
    )
  )
  return answerOf(found, asking)
}

const simple: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'POST',
    path: '/logs/search',
    auth: 'user',
    summary: 'Search logs of the index main, oldest first',
    query,
    body: Simple,
    response: Found,
    handle: ({ query: { account }, body, signal }) =>
      search(
        datadog,
        account,
        {
          query: body.query || '*',
          window: resolveWindow(timesOf(body), '/body', 'now-15m'),
          limit: body.limit,
          sort: body.sort,
          indexes: ['main'],
          ...tierOf(body)
        },
        signal
      )
  })

const advanced: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'POST',
    path: '/logs/search/advanced',
    auth: 'user',
    summary: 'Search logs by index, tier, order and page',
    query,
    body: Advanced,
    response: Found,
    handle: ({ query: { account }, body: { filter, sort: order, page }, signal }) =>
      search(datadog, account, advancedOf(filter, order, page), signal)
  })

/** Log searches; one costs one of about 300 an hour. */
export const logRoutes: readonly AddRoute[] = [simple, advanced]

const timesOf = ({ from, to }: { from?: string; to?: string }) => ({
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to })
})
const tierOf = ({ storage_tier: only }: { storage_tier?: LogTier }): { tier?: LogTier } =>
  only === undefined ? {} : { tier: only }

function advancedOf(
  filter: Static<typeof Advanced>['filter'],
  order: Static<typeof sort>,
  page: Static<typeof Advanced>['page']
): Asking {
  const shared = { limit: page.limit, sort: order, indexes: filter.indexes }
  if (page.cursor === undefined)
    return {
      ...shared,
      query: filter.query || '*',
      window: resolveWindow(timesOf(filter), '/body/filter', 'now-15m'),
      ...tierOf(filter)
    }
  const cursor = readCursor(page.cursor, '/body/page/cursor')
  return {
    ...shared,
    query: cursor.query,
    window: { from: cursor.from, to: cursor.to },
    cursor,
    ...(cursor.tier === undefined ? {} : { tier: cursor.tier })
  }
}

function answerOf(found: Answers<DatadogPage>, asking: Asking): Static<typeof Found> {
  const [only, ...others] = found.answers
  const after = only?.value.next
  const alone = others.length === 0 && found.failures.length === 0
  const about = aboutOf(found)
  const cursor =
    only && alone && after !== undefined
      ? writeCursor({
          account: only.account,
          next: after,
          query: asking.query,
          ...asking.window,
          ...tierOf({ storage_tier: only.value.asked.tier as LogTier })
        })
      : undefined
  return {
    data: rowsOf(found).map(withTags),
    links: {},
    meta: {
      page: cursor === undefined ? {} : { after: cursor },
      status: about.warnings.some(warning => warning.includes('ran out of time'))
        ? 'timeout'
        : 'done'
    },
    total_count: totalOf(found),
    truncated: found.answers.some(answer => answer.value.next !== undefined),
    ...about
  }
}

/** The first version repeated a line's tags beside its attributes. */
const withTags = <T extends DatadogObject>(row: T): T & { tags: unknown } => ({
  ...row,
  tags: (row['attributes'] as { tags?: unknown } | undefined)?.tags ?? []
})
