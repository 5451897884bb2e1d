import { invalid, RayneError, Type, type PluginApp, type Static } from '../../../core/index.ts'
import type { KeyCheck } from '../service/client/account.ts'
import { apiUrlOf, resolveSite } from '../service/client/resolve-site.ts'
import type { Datadog, LocalAccount } from '../service/datadog.ts'
import type { AccountChanges, Accounts, NewAccount } from '../service/accounts.ts'
import type { AccountRow } from '../store.ts'
import { proxyErrors } from '../service/errors.ts'

const nullable = <T extends ReturnType<typeof Type.String>>(type: T) =>
  Type.Union([type, Type.Null()])
const OrgId = Type.Union(
  [
    Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    Type.String({ pattern: '^[0-9]{0,18}$' }),
    Type.Null()
  ],
  {
    description:
      'Alerts that name this organisation are read with the account; 0 takes it away, null says nothing'
  }
)
const Key = Type.String({
  minLength: 1,
  maxLength: 255,
  writeOnly: true,
  description: 'Sealed at once and never shown again'
})
const settable = {
  org_id: Type.Optional(OrgId),
  org_name: Type.Optional(
    nullable(Type.String({ maxLength: 255, pattern: '^[^\\u0000-\\u001f]*$' }))
  ),
  site: Type.Optional(
    nullable(
      Type.String({
        maxLength: 255,
        description: 'datadoghq.com when absent; an API or app address is understood too'
      })
    )
  ),
  base_url: Type.Optional(
    nullable(Type.String({ maxLength: 255, description: "The first version's name for the site" }))
  ),
  is_default: Type.Optional(Type.Boolean()),
  active: Type.Optional(Type.Boolean())
}
const Create = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 255 }),
  api_key: Key,
  app_key: Key,
  ...settable
})
const Update = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  api_key: Type.Optional(Key),
  app_key: Type.Optional(Key),
  ...settable
})
const Account = Type.Object({
  id: Type.Integer({ description: 'Negative for a simulated account, which is not stored' }),
  name: Type.String(),
  org_id: Type.Union([Type.Integer(), Type.String(), Type.Null()]),
  org_name: nullable(Type.String()),
  site: Type.String(),
  base_url: Type.String(),
  is_default: Type.Boolean(),
  active: Type.Boolean(),
  simulated: Type.Boolean(),
  created_at: nullable(Type.String()),
  updated_at: nullable(Type.String())
})
type Account = Static<typeof Account>
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

export function accountRoutes(app: PluginApp<unknown>, accounts: Accounts, datadog: Datadog): void {
  readRoutes(app, accounts, datadog)
  writeRoutes(app, accounts, datadog)
  app.route({
    method: 'POST',
    path: '/accounts/{name}/test',
    auth: 'admin',
    summary: 'Whether Datadog accepts both keys of an account',
    params: Named,
    response: Checked,
    also: absent,
    async handle({ params: { name }, signal }) {
      const shown = find(await all(accounts, datadog), name)
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
}

function readRoutes(app: PluginApp<unknown>, accounts: Accounts, datadog: Datadog): void {
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
      const known = await all(accounts, datadog)
      const after =
        cursor === undefined ? undefined : Buffer.from(cursor, 'base64url').toString('utf8')
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
        next_cursor:
          last && rest.length > per_page ? Buffer.from(placeIn(last)).toString('base64url') : null
      }
    }
  })
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
      const known = await all(accounts, datadog)
      return {
        cached_by_org_id: known.filter(account => account.org_id !== null).length,
        cached_by_name: known.length,
        default_account: known.find(account => account.is_default)?.name ?? null
      }
    }
  })
  app.route({
    method: 'GET',
    path: '/accounts/{name}',
    auth: 'user',
    summary: 'One Datadog account, without its keys',
    params: Named,
    response: Account,
    also: absent,
    handle: async ({ params: { name } }) => find(await all(accounts, datadog), name)
  })
}

function writeRoutes(app: PluginApp<unknown>, accounts: Accounts, datadog: Datadog): void {
  const stored = (name: string): string => {
    if (datadog.isLocal(name))
      throw new RayneError({
        code: proxyErrors['account-simulated'],
        message: `'${name}' is a simulated account, which is not stored and cannot be changed`
      })
    return name
  }
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
      ofRow(await accounts.update(stored(name), changesOf(body)))
  })
  app.route({
    method: 'DELETE',
    path: '/accounts/{name}',
    auth: 'admin',
    summary: 'Delete an account and its keys',
    params: Named,
    response: Message,
    also: { ...absent, 400: 'the default account cannot be deleted' },
    async handle({ params: { name } }) {
      await accounts.remove(stored(name))
      return { message: `account ${name} deleted` }
    }
  })
  app.route({
    method: 'POST',
    path: '/accounts/{name}/default',
    auth: 'admin',
    summary: 'Make an account the default',
    params: Named,
    response: Message,
    also: { ...absent, 409: 'the account is inactive' },
    async handle({ params: { name } }) {
      await accounts.update(stored(name), { isDefault: true })
      return { message: `account ${name} set as default` }
    }
  })
}

const placeIn = (account: Account): string =>
  `${account.is_default ? 0 : account.simulated ? 2 : 1}${account.name}`

/** Stored and simulated accounts in the order of the list. */
async function all(accounts: Accounts, datadog: Datadog): Promise<Account[]> {
  const known = [...(await accounts.list()).map(ofRow), ...(await datadog.local()).map(ofLocal)]
  return known.toSorted((a, b) => (placeIn(a) < placeIn(b) ? -1 : 1))
}

function find(known: readonly Account[], name: string): Account {
  const account = known.find(one => one.name === name)
  if (!account)
    throw new RayneError({
      code: proxyErrors['account-not-found'],
      message: `account not found: ${name}`
    })
  return account
}

const orgIdOf = (text: string | null | undefined): Account['org_id'] =>
  text === null || text === undefined
    ? null
    : Number.isSafeInteger(Number(text))
      ? Number(text)
      : text
const ofRow = (row: AccountRow): Account => ({
  id: row.id,
  name: row.name,
  org_id: orgIdOf(row.orgId),
  org_name: row.orgName,
  site: row.site,
  base_url: apiUrlOf(resolveSite(row.site)),
  is_default: row.isDefault,
  active: row.active,
  simulated: false,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString()
})
const ofLocal = (account: LocalAccount, index: number): Account => ({
  id: -1 - index,
  name: account.name,
  org_id: orgIdOf(account.orgId),
  org_name: null,
  site: account.site,
  base_url: account.apiUrl,
  is_default: account.isDefault,
  active: true,
  simulated: account.simulated,
  created_at: null,
  updated_at: null
})

/** null says nothing, as in the first version; an empty text or 0 takes an optional value away. */
function changesOf(body: Static<typeof Update>): AccountChanges {
  const {
    name,
    api_key: apiKey,
    app_key: appKey,
    org_id: orgId,
    org_name: orgName,
    is_default: isDefault,
    active
  } = body
  const site = siteOf(body.site, body.base_url)
  const digits =
    orgId === undefined || orgId === null ? undefined : String(orgId).replace(/^0+/, '') || null
  const given = {
    name,
    apiKey,
    appKey,
    site,
    orgId: digits,
    orgName: orgName === null ? undefined : orgName === '' ? null : orgName,
    isDefault,
    active
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
const newOf = (body: Static<typeof Create>): NewAccount => ({
  site: 'datadoghq.com',
  ...changesOf(body),
  name: body.name,
  apiKey: body.api_key,
  appKey: body.app_key
})

function siteOf(
  site: string | null | undefined,
  baseUrl: string | null | undefined
): string | undefined {
  const [first, second] = [site, baseUrl].filter(Boolean).map(text => resolveSite(text ?? ''))
  if (first !== undefined && second !== undefined && first !== second)
    throw invalid('/body/base_url', `is of ${second} and /body/site is ${first}: name one of them`)
  return first
}

function saidOf({ name, failure, message }: KeyCheck): string {
  const which = name === 'api_key' ? 'API key' : 'application key'
  return failure === 'forbidden'
    ? `invalid ${which}: ${message}`
    : failure === 'unavailable' || failure === 'timeout'
      ? `connection failed: ${message}`
      : `validation of the ${which} failed: ${message}`
}
