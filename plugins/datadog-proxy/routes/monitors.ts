import { Type, type Static } from '../../../core/index.ts'
import type { CallOptions, DatadogObject } from '../contract.ts'
import type { OpenAccount, DatadogPage } from '../service/client/account.ts'
import { triggeredQueries } from '../service/client/find-monitors.ts'
import {
  accountQuery,
  accountsQuery,
  askAccounts,
  askOne,
  Failure,
  type Answers
} from './ask-accounts.ts'
import { About, aboutOf, Nullable, pageQuery, Row, rowsOf, totalOf } from './list-answer.ts'
import type { Datadog } from '../service/datadog.ts'
import type { AddRoute } from './add-route.ts'

const text = Type.String({
  default: '',
  maxLength: 4000,
  description: "Datadog's monitor search, e.g. status:alert tag:team:web"
})
const Listed = Type.Object(
  { account: accountsQuery, query: text, ...pageQuery(0, 100, 30) },
  { additionalProperties: false }
)
const Counted = {
  page: Type.Integer(),
  page_count: Nullable,
  per_page: Type.Integer(),
  total_count: Nullable
}
const Known = Type.Object({
  account: Type.String(),
  id: Type.Union([Type.Integer(), Type.String()]),
  name: Type.String(),
  status: Type.String()
})
const pageSize = 100
const mostPages = 10

const search = (
  datadog: Datadog,
  { account, query, page, per_page: limit }: Static<typeof Listed>,
  signal: AbortSignal
): Promise<Answers<DatadogPage>> =>
  askAccounts(datadog, account, { signal }, (one, options) =>
    one.page({ of: 'monitors', query, page, limit }, options)
  )

const list: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/monitors',
    auth: 'user',
    summary: 'A page of the monitor search',
    query: Listed,
    response: Type.Object({
      monitors: Type.Array(Row),
      ...Counted,
      truncated: Type.Boolean(),
      ...About
    }),
    async handle({ query, signal }) {
      const found = await search(datadog, query, signal)
      return {
        monitors: rowsOf(found).map(bothStates),
        ...countedOf(found, query),
        truncated: hasMore(found),
        ...aboutOf(found)
      }
    }
  })

const ids: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/monitors/ids',
    auth: 'user',
    summary: 'Ids, names and states of a page of the monitor search',
    query: Listed,
    response: Type.Object({
      monitors: Type.Array(Known),
      count: Type.Integer(),
      ...Counted,
      truncated: Type.Boolean(),
      ...About
    }),
    async handle({ query, signal }) {
      const found = await search(datadog, query, signal)
      const monitors = rowsOf(found).map(row => ({
        account: row.account,
        id: row['id'] as number | string,
        name: String(row['name'] ?? ''),
        status: String(row['status'] ?? 'unknown')
      }))
      return {
        monitors,
        count: monitors.length,
        ...countedOf(found, query),
        truncated: hasMore(found),
        ...aboutOf(found)
      }
    }
  })

const countPages: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/monitors/pages',
    auth: 'user',
    summary: 'How many monitors and pages there are',
    query: Listed,
    response: Type.Object({ ...Counted, failures: Type.Array(Failure) }),
    async handle({ query, signal }) {
      const found = await search(datadog, query, signal)
      return { ...countedOf(found, query), failures: [...found.failures] }
    }
  })

const listTriggered: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/monitors/triggered',
    auth: 'user',
    summary: 'Monitors in Alert or Warn, at most 1000 of each',
    query: Type.Object({ account: accountsQuery }, { additionalProperties: false }),
    response: Type.Object({
      monitors: Type.Array(Row),
      count: Type.Integer(),
      total_count: Nullable,
      truncated: Type.Boolean(),
      ...About
    }),
    async handle({ query: { account }, signal }) {
      const found = await askAccounts(datadog, account, { signal }, triggered)
      const monitors = rowsOf(found).map(bothStates)
      return {
        monitors,
        count: monitors.length,
        total_count: totalOf(found),
        truncated: hasMore(found),
        ...aboutOf(found)
      }
    }
  })

const detail: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/monitors/{id}',
    auth: 'user',
    summary: 'One monitor with all its Datadog fields',
    params: Type.Object({ id: Type.String({ pattern: '^[0-9]{1,19}$', description: 'digits' }) }),
    query: Type.Object({ account: accountQuery }, { additionalProperties: false }),
    response: Type.Object(
      { account: Type.String(), simulated: Type.Boolean() },
      { additionalProperties: true }
    ),
    also: { 404: 'Datadog has no such monitor' },
    async handle({ params: { id }, query: { account }, signal }) {
      const { value, ...from } = await askOne(datadog, account, signal, (one, options) =>
        one.page({ of: 'monitor', id }, options)
      )
      return {
        ...bothStates({ ...value.items[0], account: from.account }),
        simulated: from.simulated
      }
    }
  })

/** Monitors: by page, triggered, by id. Pages count from 0, as Datadog and the first version count them. */
export const monitorRoutes: readonly AddRoute[] = [list, ids, countPages, listTriggered, detail]

/** The search calls a state `status`, everything else `overall_state`; callers of the first version read either. */
function bothStates<T extends DatadogObject>(
  monitor: T
): T & { status: unknown; overall_state: unknown } {
  return {
    ...monitor,
    status: monitor['status'] ?? monitor['overall_state'],
    overall_state: monitor['overall_state'] ?? monitor['status']
  }
}

const hasMore = (found: Answers<DatadogPage>): boolean =>
  found.answers.some(answer => answer.value.next !== undefined)

function countedOf(
  found: Answers<DatadogPage>,
  { page, per_page: perPage }: Pick<Static<typeof Listed>, 'page' | 'per_page'>
): { page: number; page_count: number | null; per_page: number; total_count: number | null } {
  const counts = found.answers.map(({ value: { total } }) =>
    total === undefined ? Number.NaN : Math.ceil(total / perPage)
  )
  const most = Math.max(0, ...counts)
  return {
    page,
    page_count: Number.isNaN(most) ? null : most,
    per_page: perPage,
    total_count: totalOf(found)
  }
}

/** All pages of both states, bounded. */
async function triggered(account: OpenAccount, options: CallOptions): Promise<DatadogPage> {
  const pages = await Promise.all(triggeredQueries.map(query => allPages(account, query, options)))
  const items = [
    ...new Map(pages.flatMap(page => page.items).map(item => [String(item['id']), item])).values()
  ]
  const next = pages.find(page => page.next !== undefined)?.next
  return {
    items,
    warnings: pages.flatMap(page => page.warnings),
    asked: { query: triggeredQueries.join(' or '), limit: pageSize * mostPages },
    ...(next === undefined ? { total: items.length } : { next })
  }
}

async function allPages(
  account: OpenAccount,
  query: string,
  options: CallOptions
): Promise<DatadogPage> {
  const items: DatadogObject[] = []
  for (let page = 0; ; page++) {
    const read = await account.page({ of: 'monitors', query, page, limit: pageSize }, options)
    items.push(...read.items)
    if (read.next === undefined || page + 1 >= mostPages) return { ...read, items }
  }
}
