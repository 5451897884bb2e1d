import { setTimeout as delay } from 'node:timers/promises'
import { RayneError, type Logger } from '../../core/index.ts'
import { openAccount, type AccountAddress } from './client/open-account.ts'
import type { RetryPolicy } from './client/plan-retry.ts'
import { apiUrlOf, appUrlOf, resolveLoopback, resolveSite } from './client/resolve-site.ts'
import type { Transport } from './client/send-request.ts'
import type { DatadogAccount, DatadogService } from './contract.ts'

interface AccountKeys { readonly name: string; readonly apiKey: string; readonly appKey: string; readonly orgId?: string }
/** A real account by its site, or a simulated one by its loopback address: there is no third kind. */
export type AccountInput = AccountKeys & (
  | { readonly site: string }
  | { readonly simulated: true; readonly baseUrl: string; readonly appUrl: string }
)

export interface DatadogOptions {
  readonly accounts: readonly AccountInput[]
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

interface Datadog extends DatadogService {
  /** Adds an account at run time; throws when the address is not allowed, a key is unusable or the name is taken. */
  add(account: AccountInput): void
}

const retryDefaults: RetryPolicy = { attempts: 3, baseMs: 500, capMs: 20_000, sleep: (ms, signal) => delay(ms, undefined, { signal }), random: Math.random }

/** Accounts by name over the official client. Real ones come before simulated ones when no name is given. */
export function createDatadogService(options: DatadogOptions): Datadog {
  const accounts = new Map<string, { account: DatadogAccount; orgId: string | undefined }>()
  const all = (): DatadogAccount[] => [...accounts.values()].map(entry => entry.account)
  const preferred = (): DatadogAccount | undefined => all().find(account => !account.simulated) ?? all()[0]
  const add = (input: AccountInput): void => {
    if (accounts.has(input.name)) throw new RayneError('account-exists', 409, `there already is a Datadog account named '${input.name}'`)
    accounts.set(input.name, { account: open(input, options), orgId: input.orgId })
    options.log.info({ account: input.name, simulated: 'simulated' in input }, 'Datadog account added')
  }
  for (const account of options.accounts) add(account)
  return {
    add,
    async account(name) {
      const found = name === undefined ? preferred() : accounts.get(name)?.account
      if (found) return found
      if (name === undefined || accounts.size === 0) throw new RayneError('account-not-found', 404, options.whenEmpty ?? 'no Datadog account is configured')
      throw new RayneError('account-not-found', 404, `no Datadog account is named '${name}'; there is ${[...accounts.keys()].join(', ')}`)
    },
    accountOfOrg: async orgId => [...accounts.values()].find(entry => entry.orgId === orgId)?.account,
    list: async () => all().map(account => ({ name: account.name, site: account.site, simulated: account.simulated, isDefault: account === preferred() }))
  }
}

function open(input: AccountInput, options: DatadogOptions): DatadogAccount {
  const address = addressOf(input)
  const keys = { apiKey: checkedKey(input.apiKey, 'API key'), appKey: checkedKey(input.appKey, 'application key') }
  const transport: Transport = {
    fetch: options.fetch ?? fetch, retry: { ...retryDefaults, ...options.retry },
    timeoutMs: options.timeoutMs ?? 30_000, maxBytes: options.maxBytes ?? 20_000_000,
    where: address.site, secrets: [keys.apiKey, keys.appKey], log: options.log.child({ account: input.name })
  }
  return openAccount(address, keys, Math.min(options.pageSize ?? 1000, 1000), transport)
}

function addressOf(input: AccountInput): AccountAddress {
  if ('site' in input && !('baseUrl' in input)) {
    const site = resolveSite(input.site)
    return { name: input.name, site, simulated: false, apiUrl: apiUrlOf(site), appUrl: appUrlOf(site) }
  }
  // Callers without types must not reach a loopback address with a real account, nor any other address at all.
  if (!('simulated' in input) || input.simulated !== true) throw new RayneError('datadog-site-refused', 400, 'only a simulated account has an address of its own; a real one names its site')
  return { name: input.name, site: 'simulated', simulated: true, apiUrl: resolveLoopback(input.baseUrl), appUrl: input.appUrl.replace(/\/+$/, '') }
}

// Anything outside printable ASCII cannot travel in a header and is a pasting accident.
function checkedKey(key: string, what: string): string {
  const trimmed = key.trim()
  if (!/^[\x21-\x7e]+$/.test(trimmed)) throw new RayneError('datadog-key-refused', 400, `the ${what} is empty or has characters no key has`)
  return trimmed
}
