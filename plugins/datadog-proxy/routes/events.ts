import { invalid, Type, type Static } from '../../../core/index.ts'
import type { CallOptions, TimeWindow } from '../contract.ts'
import type { OpenAccount, DatadogPage } from '../service/client/account.ts'
import { accountsQuery, askAccounts } from './ask-accounts.ts'
import { readCursor, writeCursor, type Cursor } from './cursor.ts'
import { About, aboutOf, Paged, pageQuery, Row, rowsOf, totalOf } from './list-answer.ts'
import { resolveWindow } from './time-range.ts'
import type { AddRoute } from './add-route.ts'

const Query = Type.Object(
  {
    account: accountsQuery,
    query: Type.String({ default: '', maxLength: 4000, description: "Datadog's event search" }),
    from: Type.Optional(Type.String({ description: 'ISO, epoch or now-15m; now-1h when absent' })),
    to: Type.Optional(Type.String({ description: 'now when absent' })),
    ...pageQuery(1, 1000, 50),
    cursor: Type.Optional(
      Type.String({
        maxLength: 8000,
        description:
          '`next_cursor` of an earlier answer, for deep reads of one account; it carries the query and the window'
      })
    )
  },
  { additionalProperties: false }
)

const deepest = 1000
interface Asking {
  readonly query: string
  readonly window: TimeWindow
  readonly cursor: Cursor | undefined
  readonly page: number
  readonly perPage: number
}

const list: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/events',
    auth: 'user',
    summary: 'Events with all their Datadog fields, newest first',
    query: Query,
    response: Type.Object({
      events: Type.Array(Row),
      ...Paged,
      next_cursor: Type.Union([Type.String(), Type.Null()]),
      ...About
    }),
    async handle({ query, signal }) {
      const asking = askingOf(query)
      const found = await askAccounts(
        datadog,
        asking.cursor?.account ?? query.account,
        { signal },
        (account, options) => readDeep(account, options, asking)
      )
      const [only, ...others] = found.answers
      const next = only?.value.next
      return {
        events: rowsOf(found),
        total_count: totalOf(found),
        page: query.page,
        per_page: query.per_page,
        truncated: found.answers.some(answer => answer.value.next !== undefined),
        next_cursor:
          only && next !== undefined && others.length === 0 && found.failures.length === 0
            ? writeCursor({ account: only.account, next, query: asking.query, ...asking.window })
            : null,
        ...aboutOf(found)
      }
    }
  })

/** Events of a window, newest first. */
export const eventRoutes: readonly AddRoute[] = [list]

function askingOf({
  query,
  account,
  from,
  to,
  page,
  per_page: perPage,
  cursor: text
}: Static<typeof Query>): Asking {
  if (text === undefined) {
    if (page * perPage > deepest)
      throw invalid(
        '/query/page',
        `times per_page reaches ${deepest} rows at most; read deeper with next_cursor`
      )
    return {
      query,
      window: resolveWindow(
        { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) },
        '/query'
      ),
      cursor: undefined,
      page,
      perPage
    }
  }
  const cursor = readCursor(text, '/query/cursor')
  if (account !== undefined && account !== cursor.account)
    throw invalid('/query/cursor', `belongs to the account ${cursor.account}`)
  return {
    query: cursor.query,
    window: { from: cursor.from, to: cursor.to },
    cursor,
    page: 1,
    perPage
  }
}

/** Datadog pages by cursor, so a page by number is the end of a longer read. */
async function readDeep(
  account: OpenAccount,
  options: CallOptions,
  { query, window, cursor, page, perPage }: Asking
): Promise<DatadogPage> {
  const read = await account.page(
    {
      of: 'events',
      query,
      window,
      limit: page * perPage,
      ...(cursor === undefined ? {} : { cursor: cursor.next })
    },
    options
  )
  // A cursor after a page that is not full leads nowhere.
  const more = read.items.length === page * perPage && read.next !== undefined
  const { next: _, ...rest } = read
  return {
    ...rest,
    items: read.items.slice((page - 1) * perPage),
    ...(more ? { next: read.next } : {}),
    ...(more || cursor !== undefined ? {} : { total: read.items.length }),
    asked: { ...read.asked, limit: perPage }
  } as DatadogPage
}
