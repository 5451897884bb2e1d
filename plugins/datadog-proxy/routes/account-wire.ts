import { invalid, RayneError, Type, type Static } from '../../../core/index.ts'
import { apiUrlOf, resolveSite } from '../service/client/resolve-site.ts'
import type { KeyCheck } from '../service/client/account.ts'
import type { Accounts } from '../service/accounts.ts'
import type { AccountChanges, NewAccount } from '../service/check-changes.ts'
import type { Datadog, LocalAccount } from '../service/datadog.ts'
import { proxyErrors } from '../service/errors.ts'
import type { AccountRow } from '../store.ts'

/** A value that may be null on the wire. */
export const nullable = <T extends ReturnType<typeof Type.String>>(type: T) =>
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
export const Create = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 255 }),
  api_key: Key,
  app_key: Key,
  ...settable
})
export const Update = Type.Object({
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  api_key: Type.Optional(Key),
  app_key: Type.Optional(Key),
  ...settable
})
export const Account = Type.Object({
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
export type Account = Static<typeof Account>
/** Where an account stands in the list: the default, the stored ones, the simulated ones, each by name. */
export const placeIn = (account: Account): string =>
  `${account.is_default ? 0 : account.simulated ? 2 : 1}${account.name}`

/** Stored and simulated accounts in the order of the list. */
export async function allAccounts(accounts: Accounts, datadog: Datadog): Promise<Account[]> {
  const known = [...(await accounts.list()).map(ofRow), ...(await datadog.local()).map(ofLocal)]
  return known.toSorted((a, b) => (placeIn(a) < placeIn(b) ? -1 : 1))
}

/** One of them by its exact name, or a 404. */
export function findAccount(known: readonly Account[], name: string): Account {
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
export const ofRow = (row: AccountRow): Account => ({
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
export function changesOf(body: Static<typeof Update>): AccountChanges {
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
export const newOf = (body: Static<typeof Create>): NewAccount => ({
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
  const own = site ? resolveSite(site) : undefined
  const ofUrl = baseUrl ? resolveSite(baseUrl, 'base_url') : undefined
  const [first, second] = [own, ofUrl].filter(found => found !== undefined)
  if (first !== undefined && second !== undefined && first !== second)
    throw invalid('/body/base_url', `is of ${second} and /body/site is ${first}: name one of them`)
  return first
}

/** What one key's check says, in the words of the first version. */
export function saidOf({ name, failure, message }: KeyCheck): string {
  const which = name === 'api_key' ? 'API key' : 'application key'
  return failure === 'forbidden'
    ? `invalid ${which}: ${message}`
    : failure === 'unavailable' || failure === 'timeout'
      ? `connection failed: ${message}`
      : `validation of the ${which} failed: ${message}`
}
