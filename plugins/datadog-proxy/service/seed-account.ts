import { bootError, type Logger } from '../../../core/index.ts'
import type { Config } from '../config.ts'
import type { Accounts } from './accounts.ts'

type Keys = Pick<Config, 'name' | 'api_key' | 'app_key' | 'site' | 'org_id'>

/** What a person without any account should do. */
export const whenEmpty = [
  'no Datadog account is configured: set DD_API_KEY and DD_APP_KEY (and DD_SITE outside US1),',
  'add one with POST /v1/accounts, or load the demo plugin for a simulated one'
].join(' ')

/**
 * Takes the keys out of the environment of this process: the official client would fill missing keys and the site of
 * every account from there.
 */
export function hideKeys(environment: NodeJS.ProcessEnv): void {
  for (const name of [
    'DD_API_KEY',
    'DD_APP_KEY',
    'DD_SITE',
    'RAYNE_DATADOG_PROXY_API_KEY',
    'RAYNE_DATADOG_PROXY_APP_KEY'
  ])
    delete environment[name]
}

/**
 * Keys of the environment become the first account; later they are not looked at, and that is said when they differ.
 * One key without the other is refused: it would be a server that shows simulated data to somebody who set a key.
 */
export async function seedAccount(accounts: Accounts, keys: Keys, log: Logger): Promise<void> {
  const { name, site } = keys
  const [apiKey, appKey] = [keys.api_key.trim(), keys.app_key.trim()]
  if (apiKey === '' && appKey === '') return
  if (apiKey === '') throw halfAPair('DD_APP_KEY', 'DD_API_KEY')
  if (appKey === '') throw halfAPair('DD_API_KEY', 'DD_APP_KEY')
  const made = await accounts.seed({ name, apiKey, appKey, site, orgId: keys.org_id || null })
  if (made)
    return log.info(
      { account: made.name, site: made.site },
      'the Datadog keys of the environment are stored, sealed, as the first account'
    )
  const rows = await accounts.list()
  const stored = await Promise.all(rows.map(row => accounts.keys(row).catch(() => undefined)))
  if (!stored.some(one => one?.apiKey === apiKey && one.appKey === appKey))
    log.warn({ accounts: rows.map(row => row.name) }, notUsed)
}

const halfAPair = (given: string, missing: string): Error =>
  bootError(
    `${given} is set and ${missing} is not: Datadog wants both keys; set ${missing}, or unset ${given}`
  )
const notUsed = [
  'DD_API_KEY and DD_APP_KEY are not used: there are stored accounts, which win;',
  'change their keys with PUT /v1/accounts/<name>'
].join(' ')
