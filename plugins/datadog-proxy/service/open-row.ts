import { setTimeout as delay } from 'node:timers/promises'
import { RayneError, type Logger } from '../../../core/index.ts'
import type { AccountRow } from '../store.ts'
import type { Accounts } from './accounts.ts'
import { checkedKey } from './check-key.ts'
import type { OpenAccount } from './client/account.ts'
import { openAccount, type AccountAddress } from './client/open-account.ts'
import type { RetryPolicy } from './client/plan-retry.ts'
import { apiUrlOf, appUrlOf, resolveLoopback, resolveSite } from './client/resolve-site.ts'
import type { Fetch, Transport } from './client/exchange.ts'
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

/** How accounts are reached. */
export interface OpenOptions {
  readonly log: Logger
  readonly fetch?: Fetch
  /** For real accounts instead of `fetch`: the way out of this machine, which nothing on it goes. */
  readonly proxied?: Fetch | undefined
  readonly retry?: Partial<RetryPolicy>
  /** Of one call with all its requests; default 30000. */
  readonly timeoutMs?: number
  /** Default 20 MB. */
  readonly maxBytes?: number
  /** Rows a page, default and maximum 1000. */
  readonly pageSize?: number
}

const retryDefaults: RetryPolicy = {
  attempts: 3,
  baseMs: 500,
  capMs: 20_000,
  sleep: (ms, signal) => delay(ms, undefined, { signal }),
  random: Math.random
}

interface Opened {
  readonly row: AccountRow
  readonly made: Promise<{ readonly keys: string; readonly account: OpenAccount }>
}

/** Opens rows and keeps what was opened, with what it has learned of Datadog's limits, until the row's keys change. */
export function createOpener(
  stored: Pick<Accounts, 'keys'>,
  options: OpenOptions
): (row: AccountRow) => Promise<OpenAccount> {
  const opened = new Map<number, Opened>()
  return async row => {
    const kept = opened.get(row.id)
    if (kept && isSame(kept.row, row)) return (await kept.made).account
    const entry = { row, made: openRow(row, kept, stored, options) }
    opened.set(row.id, entry)
    entry.made.catch(() => {
      if (opened.get(row.id) === entry) opened.delete(row.id)
    })
    return (await entry.made).account
  }
}

async function openRow(
  row: AccountRow,
  kept: Opened | undefined,
  stored: Pick<Accounts, 'keys'>,
  options: OpenOptions
): Opened['made'] {
  const { apiKey, appKey } = await stored.keys(row)
  const keys = `${apiKey} ${appKey}`
  const before = await kept?.made.catch(() => undefined)
  // The same keys under another seal are no reason to forget the limits.
  if (before?.keys === keys && kept?.row.name === row.name && kept.row.site === row.site)
    return before
  return {
    keys,
    account: open({ name: row.name, site: row.site, apiKey, appKey }, options).account
  }
}

const isSame = (a: AccountRow, b: AccountRow): boolean =>
  a.name === b.name &&
  a.site === b.site &&
  a.apiKeySealed === b.apiKeySealed &&
  a.appKeySealed === b.appKeySealed

/** The calls of an account and the address they go to; throws when the address or a key cannot be used. */
export function open(
  input: AccountInput,
  options: OpenOptions
): { readonly account: OpenAccount; readonly apiUrl: string } {
  const address = addressOf(input)
  const keys = {
    apiKey: checkedKey(input.apiKey, 'API key'),
    appKey: checkedKey(input.appKey, 'application key')
  }
  const proxied = address.simulated ? undefined : options.proxied
  const transport: Transport = {
    fetch: proxied ?? options.fetch ?? fetch,
    retry: { ...retryDefaults, ...options.retry },
    timeoutMs: options.timeoutMs ?? 30_000,
    maxBytes: options.maxBytes ?? 20_000_000,
    where: proxied ? `${address.site}, through HTTPS_PROXY` : address.site,
    secrets: [keys.apiKey, keys.appKey],
    log: options.log.child({ account: input.name })
  }
  const pageSize = Math.min(options.pageSize ?? 1000, 1000)
  return { account: openAccount(address, keys, pageSize, transport), apiUrl: address.apiUrl }
}

function addressOf(input: AccountInput): AccountAddress {
  const { name } = input
  if ('site' in input && !('baseUrl' in input)) {
    const site = resolveSite(input.site)
    return { name, site, simulated: false, apiUrl: apiUrlOf(site), appUrl: appUrlOf(site) }
  }
  // Callers without types must not reach a loopback address with a real account, nor any other address at all.
  if (!('simulated' in input) || input.simulated !== true)
    throw new RayneError({
      code: proxyErrors['datadog-site-refused'],
      message: 'only a simulated account has an address of its own; a real one names its site'
    })
  return {
    name,
    site: 'simulated',
    simulated: true,
    apiUrl: resolveLoopback(input.baseUrl),
    appUrl: input.appUrl.replace(/(?<!\/)\/+$/, '')
  }
}
