import { invalid, isoTime, Type, type Static } from '../../../core/index.ts'
import type { DatadogDowntime, DowntimeDraft } from '../contract.ts'
import { accountQuery, accountsQuery, askAccounts, askOne } from './ask-accounts.ts'
import { About, aboutOf, Paged, pagedOf, pageQuery, Row, rowsOf } from './list-answer.ts'
import { resolveTime } from './time-range.ts'
import type { AddRoute } from './add-route.ts'

const Downtime = Type.Object({
  account: Type.String(),
  simulated: Type.Boolean(),
  id: Type.String(),
  scope: Type.String(),
  status: Type.String(),
  message: Type.String(),
  monitor_id: Type.Union([Type.String(), Type.Null()]),
  monitor_tags: Type.Array(Type.String()),
  from: Type.Union([Type.String(), Type.Null()]),
  to: Type.Union([Type.String(), Type.Null()])
})
const Draft = Type.Object(
  {
    scope: Type.String({ maxLength: 2000, description: 'key:value terms; commas are read as AND' }),
    monitor_id: Type.Optional(
      Type.Union([Type.String(), Type.Integer()], { description: 'Or monitor_tags' })
    ),
    monitor_tags: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
    from: Type.Optional(Type.String({ description: 'Now when absent' })),
    to: Type.Union([Type.String(), Type.Null()], {
      description: 'ISO, epoch or now+2h; null mutes until somebody cancels it'
    }),
    message: Type.Optional(Type.String({ maxLength: 4000 })),
    everything: Type.Optional(
      Type.Boolean({
        description: 'Confirms a scope of *, which mutes everything these monitors watch'
      })
    ),
    key: Type.Optional(
      Type.String({
        pattern: '^[\\w.:-]{1,80}$',
        description:
          'Makes it safe to send this again: the live downtime with this key is answered instead of a second one'
      })
    )
  },
  { additionalProperties: false }
)

const list: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/downtimes',
    auth: 'user',
    summary: 'Downtimes with all their Datadog fields; ids and scopes beside them',
    query: Type.Object(
      {
        account: accountsQuery,
        current_only: Type.Boolean({ default: false }),
        ...pageQuery(1, 100, 50)
      },
      { additionalProperties: false }
    ),
    response: Type.Object({
      ids: Type.Array(Type.String()),
      scopes: Type.Array(Type.String()),
      downtimes: Type.Array(Row),
      ...Paged,
      ...About
    }),
    async handle({ query: { account, current_only, page, per_page }, signal }) {
      const found = await askAccounts(datadog, account, { signal }, (one, options) =>
        one.page(
          {
            of: 'downtimes',
            currentOnly: current_only,
            offset: (page - 1) * per_page,
            limit: per_page
          },
          options
        )
      )
      const downtimes = rowsOf(found)
      const scopeOf = (row: (typeof downtimes)[number]): string =>
        String((row['attributes'] as { scope?: unknown } | undefined)?.scope ?? '')
      return {
        ids: downtimes.map(row => String(row['id'])),
        scopes: downtimes.map(scopeOf),
        downtimes,
        ...pagedOf(found, page, per_page),
        ...aboutOf(found)
      }
    }
  })

const create: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'POST',
    path: '/downtimes',
    auth: 'admin',
    summary: 'Mute a monitor',
    query: Type.Object({ account: accountQuery }, { additionalProperties: false }),
    body: Draft,
    response: Downtime,
    status: 201,
    async handle({ query: { account }, body, signal }) {
      const draft = draftOf(body)
      const made = await askOne(datadog, account, signal, (one, options) =>
        one.createDowntime(draft, options)
      )
      return toWire(made.account, made.simulated, made.value)
    }
  })

const cancel: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'DELETE',
    path: '/downtimes/{id}',
    auth: 'admin',
    summary: 'End a downtime; one that is over already is fine',
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    query: Type.Object({ account: accountQuery }, { additionalProperties: false }),
    response: Type.Object({ id: Type.String(), account: Type.String(), cancelled: Type.Boolean() }),
    async handle({ params: { id }, query: { account }, signal }) {
      const done = await askOne(datadog, account, signal, (one, options) =>
        one.cancelDowntime(id, options)
      )
      return { id, account: done.account, cancelled: true }
    }
  })

/** Downtimes: list, create, cancel. */
export const downtimeRoutes: readonly AddRoute[] = [list, create, cancel]

function draftOf({
  scope,
  monitor_id: id,
  monitor_tags: tags,
  from,
  to,
  message,
  everything,
  key
}: Static<typeof Draft>): DowntimeDraft {
  if ((id === undefined) === (tags === undefined))
    throw invalid('/body/monitor_id', 'or monitor_tags is required, and not both')
  const start = from === undefined ? undefined : resolveTime(from, '/body/from')
  const end = to === null ? null : resolveTime(to, '/body/to')
  if (end !== null && end <= (start ?? Date.now())) throw invalid('/body/to', 'must lie after from')
  return {
    scope,
    monitor: id === undefined ? { tags: tags ?? [] } : { id: String(id) },
    to: end,
    ...(start === undefined ? {} : { from: start }),
    ...(message === undefined ? {} : { message }),
    ...(everything ? { everything } : {}),
    ...(key === undefined ? {} : { key })
  }
}

function toWire(
  account: string,
  simulated: boolean,
  { id, scope, status, message, monitorId, monitorTags, from, to }: DatadogDowntime
): Static<typeof Downtime> {
  return {
    account,
    simulated,
    id,
    scope,
    status,
    message,
    monitor_id: monitorId ?? null,
    monitor_tags: [...monitorTags],
    from: from === undefined ? null : isoTime(from),
    to: to === undefined ? null : isoTime(to)
  }
}
