import { setTimeout as delay } from 'node:timers/promises'
import { redact, RayneError, type Logger } from '../../../core/index.ts'
import { openAccount, type AccountAddress } from './client/open-account.ts'
import type { RetryPolicy } from './client/plan-retry.ts'
import { apiUrlOf, appUrlOf, resolveLoopback, resolveSite } from './client/resolve-site.ts'
import type { Transport } from './client/send-request.ts'
import type { DatadogService } from '../contract.ts'
import type { OpenAccount } from './client/account.ts'
import type { Accounts } from './accounts.ts'
import { checkedKey } from './check-key.ts'
import type { AccountRow } from '../store.ts'
import { proxyErrors } from './errors.ts'

interface AccountKeys {
  readonly name: string
  readonly apiKey: string
  readonly appKey: string
  readonly orgId?: string
}
/** A real account by its site, or a simulated one by its loopback address: there is no third kind. */
export type AccountInput = AccountKeys &
  (
    | { readonly site: string }
    | { readonly simulated: true; readonly baseUrl: string; readonly appUrl: string }
  )

export interface DatadogOptions {
  /** Accounts that live in this process only. */
  readonly accounts: readonly AccountInput[]
  /** Accounts of the database; while there is any, no other is the default. */
  readonly stored?: Pick<Accounts, 'list' | 'keys'>
  readonly log: Logger
  readonly fetch?: typeof fetch
  /** What a person should do when there is no account at all. */
  readonly whenEmpty?: string
  readonly retry?: Partial<RetryPolicy>
  /** Of one call with all its requests; default 30000. */
  readonly timeoutMs?: number
  /** Default 20 MB. */
  readonly maxBytes?: number
  /** Rows a page, default and maximum 1000. */
  readonly pageSize?: number
}

/** An account that is not in the database. */
export interface LocalAccount {
  readonly name: string
  readonly site: string
  readonly apiUrl: string
  readonly orgId: string | undefined
  readonly simulated: boolean
  readonly isDefault: boolean
}

export interface Datadog extends DatadogService {
  account(name?: string): Promise<OpenAccount>
  accountOfOrg(orgId: string): Promise<OpenAccount | undefined>
  /** Adds an account at run time; throws when the address is not allowed, a key is unusable or the name is taken. */
  add(account: AccountInput): void
  /** The accounts of this process only. */
  local(): Promise<readonly LocalAccount[]>
  isLocal(name: string): boolean
  /** The calls of a stored account, active or not. */
  open(row: AccountRow): Promise<OpenAccount>
}

const retryDefaults: RetryPolicy = {
  attempts: 3,
  baseMs: 500,
  capMs: 20_000,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random
}
interface Local {
  readonly account: OpenAccount
  readonly apiUrl: string
  readonly orgId: string | undefined
}

/** Accounts by name over the official client: those of the database first, then those of this process, real before simulated. */
export function createDatadogService(options: DatadogOptions): Datadog {
  const accounts = new Map<string, Local>()
  const rows = async (): Promise<readonly AccountRow[]> => (await options.stored?.list()) ?? []
  const openRow = createOpener(options)
  const preferred = (): Local | undefined =>
    [...accounts.values()].find(({ account }) => !account.simulated) ??
    accounts.values().next().value
  const add = (input: AccountInput): void => {
    if (accounts.has(input.name))
      throw new RayneError({
        code: proxyErrors['account-exists'],
        message: `there already is a Datadog account named '${input.name}'`
      })
    const address = addressOf(input)
    accounts.set(input.name, {
      account: open(address, input, options),
      apiUrl: address.apiUrl,
      orgId: input.orgId
    })
    options.log.info(
      { account: input.name, simulated: 'simulated' in input },
      'Datadog account added'
    )
  }
  const local = async (): Promise<LocalAccount[]> => {
    const first = (await rows()).length > 0 ? undefined : preferred()
    return [...accounts.values()].map(one => ({
      name: one.account.name,
      site: one.account.site,
      apiUrl: one.apiUrl,
      orgId: one.orgId,
      simulated: one.account.simulated,
      isDefault: one === first
    }))
  }
  for (const account of options.accounts) add(account)
  return {
    add,
    local,
    open: openRow,
    isLocal: name => accounts.has(name),
    async account(name) {
      const stored = await rows()
      const row =
        name === undefined
          ? stored.find(one => one.isDefault)
          : stored.find(one => one.name === name)
      if (row) return openRow(active(row))
      const found =
        name !== undefined ? accounts.get(name) : stored.length === 0 ? preferred() : undefined
      if (found) return found.account
      const byId =
        name !== undefined && /^\d{1,10}$/.test(name)
          ? stored.find(one => one.id === Number(name))
          : undefined
      if (byId) return openRow(active(byId))
      if (name === undefined || (accounts.size === 0 && stored.length === 0))
        throw noAccount(options.whenEmpty ?? 'no Datadog account is configured')
      throw noAccount(
        `no Datadog account is named '${name}'; there is ${[...stored.map(one => one.name), ...accounts.keys()].join(', ')}`
      )
    },
    async accountOfOrg(orgId) {
      const row = (await rows()).find(one => one.active && one.orgId === orgId)
      return row
        ? openRow(row)
        : [...accounts.values()].find(entry => entry.orgId === orgId)?.account
    },
    list: async () => [
      ...(await rows())
        .filter(row => row.active)
        .map(({ name, site, isDefault }) => ({ name, site, simulated: false, isDefault })),
      ...(await local()).map(({ name, site, simulated, isDefault }) => ({
        name,
        site,
        simulated,
        isDefault
      }))
    ]
  }
}

// A key that was taken for a name must not be repeated by an error.
const noAccount = (message: string): RayneError =>
  new RayneError({ code: proxyErrors['account-not-found'], message: redact(message) })

function active(row: AccountRow): AccountRow {
  if (!row.active)
    throw noAccount(
      `the ${row.isDefault ? 'default ' : ''}Datadog account '${row.name}' is inactive: activate it with PUT /v1/accounts/${row.name} {"active": true}`
    )
  return row
}

interface Opened {
  readonly row: AccountRow
  readonly made: Promise<{ readonly keys: string; readonly account: OpenAccount }>
}
const isSame = (a: AccountRow, b: AccountRow): boolean =>
  a.name === b.name &&
  a.site === b.site &&
  a.apiKeySealed === b.apiKeySealed &&
  a.appKeySealed === b.appKeySealed

/** Opens rows and keeps what was opened, with what it has learned of Datadog's limits, until the row's keys or address change. */
function createOpener(options: DatadogOptions): (row: AccountRow) => Promise<OpenAccount> {
  const opened = new Map<number, Opened>()
  async function make(row: AccountRow, kept: Opened | undefined): Opened['made'] {
    if (!options.stored) throw new Error('a row without a store')
    const { apiKey, appKey } = await options.stored.keys(row)
    const keys = `${apiKey} ${appKey}`
    const before = await kept?.made.catch(() => undefined)
    // The same keys under another seal are no reason to forget the limits.
    if (before?.keys === keys && kept?.row.name === row.name && kept.row.site === row.site)
      return before
    const own = { name: row.name, site: row.site, apiKey, appKey }
    return { keys, account: open(addressOf(own), own, options) }
  }
  return async row => {
    const kept = opened.get(row.id)
    if (kept && isSame(kept.row, row)) return (await kept.made).account
    const entry = { row, made: make(row, kept) }
    opened.set(row.id, entry)
    entry.made.catch(() => {
      if (opened.get(row.id) === entry) opened.delete(row.id)
    })
    return (await entry.made).account
  }
}

function open(
  address: AccountAddress,
  { name, ...given }: AccountKeys,
  options: DatadogOptions
): OpenAccount {
  const keys = {
    apiKey: checkedKey(given.apiKey, 'API key'),
    appKey: checkedKey(given.appKey, 'application key')
  }
  const transport: Transport = {
    fetch: options.fetch ?? fetch,
    retry: { ...retryDefaults, ...options.retry },
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 20_000_000,
    where: address.site,
    secrets: [keys.apiKey, keys.appKey],
    log: options.log.child({ account: name })
  }
  return openAccount(address, keys, Math.min(options.pageSize ?? 1000, 1000), transport)
}

function addressOf(input: AccountInput): AccountAddress {
  if ('site' in input && !('baseUrl' in input)) {
    const site = resolveSite(input.site)
    return {
      name: input.name,
      site,
      simulated: false,
      apiUrl: apiUrlOf(site),
      appUrl: appUrlOf(site)
    }
  }
  // Callers without types must not reach a loopback address with a real account, nor any other address at all.
  if (!('simulated' in input) || input.simulated !== true)
    throw new RayneError({
      code: proxyErrors['datadog-site-refused'],
      message: 'only a simulated account has an address of its own; a real one names its site'
    })
  return {
    name: input.name,
    site: 'simulated',
    simulated: true,
    apiUrl: resolveLoopback(input.baseUrl),
    appUrl: input.appUrl.replace(/\/+$/, '')
  }
}
