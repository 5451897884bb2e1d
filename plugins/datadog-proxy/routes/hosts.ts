import { isoTime, Type } from '../../../core/index.ts'
import { accountsQuery, askAccounts, Failure } from './ask-accounts.ts'
import { About, aboutOf, Paged, pagedOf, pageQuery, Row, rowsOf } from './list-answer.ts'
import { resolveTime } from './time-range.ts'
import type { AddRoute } from './add-route.ts'

const since = Type.Optional(
  Type.String({ description: 'Seen since then: ISO, epoch or now-2h, which is the default' })
)
const sinceOf = (from: string | undefined): { from?: ReturnType<typeof resolveTime> } =>
  from === undefined ? {} : { from: resolveTime(from, '/query/from') }
const Totals = Type.Object({ account: Type.String(), active: Type.Integer(), up: Type.Integer() })
const HostTags = Type.Object({ account: Type.String(), tags: Type.Array(Type.String()) })

const list: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/hosts',
    auth: 'user',
    summary: 'Hosts with all their Datadog fields, by name',
    query: Type.Object(
      {
        account: accountsQuery,
        filter: Type.String({
          default: '',
          maxLength: 1000,
          description: 'Part of a name, an alias or a tag'
        }),
        from: since,
        ...pageQuery(1, 1000, 100)
      },
      { additionalProperties: false }
    ),
    response: Type.Object({ hosts: Type.Array(Row), ...Paged, ...About }),
    async handle({ query: { account, filter, from, page, per_page }, signal }) {
      const start = sinceOf(from)
      const found = await askAccounts(datadog, account, { signal }, (one, options) =>
        one.page(
          { of: 'hosts', filter, ...start, offset: (page - 1) * per_page, limit: per_page },
          options
        )
      )
      return { hosts: rowsOf(found), ...pagedOf(found, page, per_page), ...aboutOf(found) }
    }
  })

const totals: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/hosts/active',
    auth: 'user',
    summary: 'How many hosts are active and up, in all and by account',
    query: Type.Object({ account: accountsQuery, from: since }, { additionalProperties: false }),
    response: Type.Object({
      active: Type.Integer(),
      up: Type.Integer(),
      from: Type.Union([Type.String(), Type.Null()], {
        description: 'Seen since then; null: in the last two hours'
      }),
      simulated: Type.Boolean(),
      by_account: Type.Array(Totals),
      failures: Type.Array(Failure),
      warnings: Type.Array(Type.String())
    }),
    async handle({ query: { account, from }, signal }) {
      const start = sinceOf(from)
      const { answers, failures, warnings } = await askAccounts(
        datadog,
        account,
        { signal },
        (one, options) => one.hostTotals(start, options)
      )
      const sum = (of: 'active' | 'up'): number =>
        answers.reduce((total, answer) => total + answer.value[of], 0)
      return {
        active: sum('active'),
        up: sum('up'),
        from: start.from === undefined ? null : isoTime(start.from),
        simulated: answers.some(answer => answer.simulated),
        by_account: answers.map(({ account: name, value: { active, up } }) => ({
          account: name,
          active,
          up
        })),
        failures: [...failures],
        warnings: [...warnings]
      }
    }
  })

const allTags: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/hosts/tags',
    auth: 'user',
    summary: 'Tags of all hosts that have any',
    description:
      'One account answers an object of tags by host name. With account=* host names may ' +
      'repeat, so the answer is `hosts`, a list of {account, host, tags}.',
    query: Type.Object({ account: accountsQuery }, { additionalProperties: false }),
    response: Type.Object({}, { additionalProperties: true }),
    async handle({ query: { account }, signal }) {
      const { answers, failures, warnings } = await askAccounts(
        datadog,
        account,
        { signal },
        (one, options) => one.allHostTags(options)
      )
      if (account !== '*') return Object.fromEntries(answers.flatMap(answer => [...answer.value]))
      const hosts = answers.flatMap(({ account: name, value }) =>
        [...value].map(([host, tags]) => ({ account: name, host, tags }))
      )
      return {
        hosts,
        total_count: failures.length > 0 ? null : hosts.length,
        simulated: answers.some(answer => answer.simulated),
        accounts: answers.map(answer => answer.account),
        failures,
        warnings
      }
    }
  })

const tags: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/hosts/{hostname}/tags',
    auth: 'user',
    summary: 'Tags of one host',
    params: Type.Object({ hostname: Type.String({ minLength: 1, maxLength: 255 }) }),
    query: Type.Object({ account: accountsQuery }, { additionalProperties: false }),
    response: Type.Object({
      tags: Type.Array(Type.String()),
      host: Type.String(),
      simulated: Type.Boolean(),
      by_account: Type.Array(HostTags),
      failures: Type.Array(Failure),
      warnings: Type.Array(Type.String())
    }),
    async handle({ params: { hostname }, query: { account }, signal }) {
      const { answers, failures, warnings } = await askAccounts(
        datadog,
        account,
        { signal },
        (one, options) => one.hostTags(hostname, options)
      )
      return {
        tags: [...new Set(answers.flatMap(answer => answer.value))],
        host: hostname,
        simulated: answers.some(answer => answer.simulated),
        by_account: answers.map(({ account: name, value }) => ({
          account: name,
          tags: [...value]
        })),
        failures: [...failures],
        warnings: [...warnings]
      }
    }
  })

/** Hosts: the list, the totals and the tags. */
export const hostRoutes: readonly AddRoute[] = [list, totals, allTags, tags]
