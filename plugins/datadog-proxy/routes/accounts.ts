import { invalid, RayneError, Type } from '../../../core/index.ts'
import type { Datadog } from '../service/datadog.ts'
import { proxyErrors } from '../service/errors.ts'
import {
  Account,
  allAccounts,
  changesOf,
  Create,
  findAccount,
  newOf,
  nullable,
  ofRow,
  placeIn,
  saidOf,
  Update
} from './account-wire.ts'
import type { AddRoute, Served } from './add-route.ts'

const Named = Type.Object({ name: Type.String({ minLength: 1, maxLength: 255 }) })
const Message = Type.Object({ message: Type.String() })
const Page = Type.Object(
  {
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 1000, default: 100 }),
    cursor: Type.Optional(Type.String({ maxLength: 1200, pattern: '^[\\w-]+$' }))
  },
  { additionalProperties: false }
)
const Checked = Type.Object({
  valid: Type.Boolean(),
  message: Type.String(),
  base_url: Type.String(),
  checks: Type.Array(
    Type.Object({
      name: Type.Union([Type.Literal('api_key'), Type.Literal('app_key')]),
      ok: Type.Boolean(),
      message: Type.String()
    })
  )
})
const absent = { 404: 'no account has this name' }
const refused = {
  400: "a field is wrong, or the site is none of Datadog's: nothing was sent",
  409: 'the name or the org_id is taken'
}

const test: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'POST',
    path: '/accounts/{name}/test',
    auth: 'admin',
    summary: 'Whether Datadog accepts both keys of an account',
    params: Named,
    response: Checked,
    also: absent,
    async handle({ params: { name }, signal }) {
      const shown = findAccount(await allAccounts(accounts, datadog), name)
      const account = shown.simulated
        ? await datadog.account(name)
        : await datadog.open(await accounts.find(name))
      const checks = await account.checkKeys({ signal, timeoutMs: 10_000 })
      const failed = checks.find(check => !check.ok)
      return {
        valid: !failed,
        message: failed ? saidOf(failed) : 'both keys work',
        base_url: shown.base_url,
        checks: checks.map(({ name: key, ok, message }) => ({ name: key, ok, message }))
      }
    }
  })

const list: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'GET',
    path: '/accounts',
    auth: 'user',
    summary: 'Datadog accounts: the default first, then by name',
    query: Page,
    response: Type.Object({
      accounts: Type.Array(Account),
      count: Type.Integer(),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer(),
      next_cursor: nullable(Type.String())
    }),
    async handle({ query: { page, per_page, cursor } }) {
      const known = await allAccounts(accounts, datadog)
      const after = cursor === undefined ? undefined : readPlace(cursor)
      const rest =
        after === undefined
          ? known.slice((page - 1) * per_page)
          : known.filter(account => placeIn(account) > after)
      const shown = rest.slice(0, per_page)
      const last = shown.at(-1)
      return {
        accounts: shown,
        count: shown.length,
        total_count: known.length,
        page,
        per_page,
        next_cursor: last && rest.length > per_page ? writePlace(placeIn(last)) : null
      }
    }
  })

const writePlace = (place: string): string => Buffer.from(place).toString('base64url')

/** The place a caller sent back; one that was never given out is refused, not answered with an empty list. */
function readPlace(cursor: string): string {
  const place = Buffer.from(cursor, 'base64url').toString('utf8')
  if (writePlace(place) !== cursor || !/^[012]./s.test(place))
    throw invalid('/query/cursor', 'is not a cursor of an earlier answer')
  return place
}

const stats: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'GET',
    path: '/accounts/stats',
    auth: 'user',
    summary: 'How many accounts this process knows by name and by organisation',
    response: Type.Object({
      cached_by_org_id: Type.Integer(),
      cached_by_name: Type.Integer(),
      default_account: nullable(Type.String())
    }),
    async handle() {
      const known = await allAccounts(accounts, datadog)
      return {
        cached_by_org_id: known.filter(account => account.org_id !== null).length,
        cached_by_name: known.length,
        default_account: known.find(account => account.is_default)?.name ?? null
      }
    }
  })

const detail: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'GET',
    path: '/accounts/{name}',
    auth: 'user',
    summary: 'One Datadog account, without its keys',
    params: Named,
    response: Account,
    also: absent,
    handle: async ({ params: { name } }) => findAccount(await allAccounts(accounts, datadog), name)
  })

/** The name, unless it is that of an account which is not stored. */
function stored(datadog: Datadog, name: string): string {
  if (datadog.isLocal(name))
    throw new RayneError({
      code: proxyErrors['account-simulated'],
      message: `'${name}' is a simulated account, which is not stored and cannot be changed`
    })
  return name
}

const create: AddRoute<Served> = (app, { accounts }) =>
  app.route({
    method: 'POST',
    path: '/accounts',
    auth: 'admin',
    summary: 'Add a Datadog account; the first one is the default',
    body: Create,
    response: Account,
    status: 201,
    also: refused,
    handle: async ({ body }) => ofRow(await accounts.create(newOf(body)))
  })

const update: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'PUT',
    path: '/accounts/{name}',
    auth: 'admin',
    summary: 'Change some fields of an account, its name and keys included',
    params: Named,
    body: Update,
    response: Account,
    also: { ...absent, ...refused },
    handle: async ({ params: { name }, body }) =>
      ofRow(await accounts.update(stored(datadog, name), changesOf(body)))
  })

const remove: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'DELETE',
    path: '/accounts/{name}',
    auth: 'admin',
    summary: 'Delete an account and its keys',
    params: Named,
    response: Message,
    also: { ...absent, 400: 'the default account is deleted last' },
    async handle({ params: { name } }) {
      await accounts.remove(stored(datadog, name))
      return { message: `account ${name} deleted` }
    }
  })

const makeDefault: AddRoute<Served> = (app, { accounts, datadog }) =>
  app.route({
    method: 'POST',
    path: '/accounts/{name}/default',
    auth: 'admin',
    summary: 'Make an account the default',
    params: Named,
    response: Message,
    also: { ...absent, 409: 'the account is inactive' },
    async handle({ params: { name } }) {
      await accounts.update(stored(datadog, name), { isDefault: true })
      return { message: `account ${name} set as default` }
    }
  })

/** Accounts of Datadog: their keys go in and never come out. */
export const accountRoutes: readonly AddRoute<Served>[] = [
  test,
  list,
  stats,
  detail,
  create,
  update,
  remove,
  makeDefault
]
