import { redact, RayneError } from '../../../core/index.ts'
import type { DatadogService } from '../contract.ts'
import type { AccountRow } from '../store.ts'
import type { Accounts } from './accounts.ts'
import type { OpenAccount } from './client/account.ts'
import { proxyErrors } from './errors.ts'
import { createOpener, open, type AccountInput, type OpenOptions } from './open-row.ts'

export interface DatadogOptions extends OpenOptions {
  /** Accounts that live in this process only. */
  readonly accounts: readonly AccountInput[]
  /** Accounts of the database; while there is any, no other is the default. */
  readonly stored?: Pick<Accounts, 'list' | 'keys'>
  /** What a person should do when there is no account at all. */
  readonly whenEmpty?: string
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

/** Accounts by name, with every call of an account. */
export interface Datadog extends DatadogService {
  account(name?: string): Promise<OpenAccount>
  accountOfOrg(orgId: string): Promise<OpenAccount | undefined>
  /** Adds an account at run time; throws when its address is not allowed, a key is unusable or the name is taken. */
  add(account: AccountInput): void
  /** The accounts of this process only. */
  local(): Promise<readonly LocalAccount[]>
  isLocal(name: string): boolean
  /** The calls of a stored account, active or not. */
  open(row: AccountRow): Promise<OpenAccount>
}

interface Local {
  readonly account: OpenAccount
  readonly apiUrl: string
  readonly orgId: string | undefined
}
/** All accounts as one process knows them. */
interface Known {
  readonly local: Map<string, Local>
  rows(): Promise<readonly AccountRow[]>
  open(row: AccountRow): Promise<OpenAccount>
  readonly options: DatadogOptions
}

/**
 * Accounts over the official client: those of the database first, then those of this process, real before simulated.
 */
export function createDatadogService(options: DatadogOptions): Datadog {
  const stored = options.stored ?? nothingStored
  const known: Known = {
    local: new Map(),
    rows: () => stored.list(),
    open: createOpener(stored, options),
    options
  }
  for (const account of options.accounts) add(known, account)
  return {
    add: account => add(known, account),
    local: () => localAccounts(known),
    open: row => known.open(row),
    isLocal: name => known.local.has(name),
    account: name => accountOf(known, name),
    accountOfOrg: orgId => accountOfOrg(known, orgId),
    list: () => list(known)
  }
}

const nothingStored: Pick<Accounts, 'list' | 'keys'> = {
  list: () => Promise.resolve([]),
  keys: row => Promise.reject(new Error(`there is no store that holds '${row.name}'`))
}

function add({ local, options }: Known, input: AccountInput): void {
  if (local.has(input.name))
    throw new RayneError({
      code: proxyErrors['account-exists'],
      message: `there already is a Datadog account named '${input.name}'`
    })
  local.set(input.name, { ...open(input, options), orgId: input.orgId })
  const simulated = 'simulated' in input
  options.log.info({ account: input.name, simulated }, 'Datadog account added')
}

/** The account of this process that is the default while none is stored. */
const preferred = ({ local }: Known): Local | undefined =>
  [...local.values()].find(({ account }) => !account.simulated) ?? local.values().next().value

async function localAccounts(known: Known): Promise<LocalAccount[]> {
  const first = (await known.rows()).length > 0 ? undefined : preferred(known)
  return [...known.local.values()].map(one => ({
    name: one.account.name,
    site: one.account.site,
    apiUrl: one.apiUrl,
    orgId: one.orgId,
    simulated: one.account.simulated,
    isDefault: one === first
  }))
}

async function accountOf(known: Known, name: string | undefined): Promise<OpenAccount> {
  const rows = await known.rows()
  if (name === undefined) {
    const row = rows.find(one => one.isDefault)
    if (row) return known.open(active(row))
    const first = rows.length === 0 ? preferred(known) : undefined
    if (first) return first.account
    throw noSuchAccount(known.options.whenEmpty ?? 'no Datadog account is configured')
  }
  const row = rows.find(one => one.name === name)
  if (row) return known.open(active(row))
  const local = known.local.get(name)
  if (local) return local.account
  const byId = /^\d{1,10}$/.test(name) ? rows.find(one => one.id === Number(name)) : undefined
  if (byId) return known.open(active(byId))
  const names = [...rows.map(one => one.name), ...known.local.keys()]
  throw noSuchAccount(
    names.length === 0
      ? (known.options.whenEmpty ?? 'no Datadog account is configured')
      : `no Datadog account is named '${name}'; there is ${names.join(', ')}`
  )
}

async function accountOfOrg(known: Known, orgId: string): Promise<OpenAccount | undefined> {
  const row = (await known.rows()).find(one => one.active && one.orgId === orgId)
  if (row) return known.open(row)
  return [...known.local.values()].find(entry => entry.orgId === orgId)?.account
}

async function list(known: Known): ReturnType<DatadogService['list']> {
  const stored = (await known.rows()).filter(row => row.active)
  return [
    ...stored.map(({ name, site, isDefault }) => ({ name, site, simulated: false, isDefault })),
    ...(await localAccounts(known)).map(({ name, site, simulated, isDefault }) => ({
      name,
      site,
      simulated,
      isDefault
    }))
  ]
}

// A key that was taken for a name must not be repeated by an error.
const noSuchAccount = (message: string): RayneError =>
  new RayneError({ code: proxyErrors['account-not-found'], message: redact(message) })

function active(row: AccountRow): AccountRow {
  if (row.active) return row
  const which = `${row.isDefault ? 'default ' : ''}Datadog account '${row.name}'`
  throw noSuchAccount(
    `the ${which} is inactive: activate it with PUT /v1/accounts/${row.name} {"active": true}`
  )
}
