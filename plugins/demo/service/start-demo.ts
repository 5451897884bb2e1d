import { errorText, bootError, type Knex } from '../../../core/index.ts'
import type { DatadogService, SimulatedAccounts } from '../../datadog-proxy/contract.ts'
import type { Config } from '../config.ts'
import { createSimulator, type SimAccount, type Simulator } from '../../../simulator/simulator.ts'
import { currentIncident } from '../store.ts'

/** A simulated Datadog for this process, or undefined when a real account answers. */
export interface Demo {
  readonly where: string
  readonly incidentId: string | undefined
  readonly simulator: Simulator | undefined
  close(): Promise<void>
}

/** Starts what the settings ask for and registers its accounts, all of them marked SIMULATED. */
export async function startDemo({
  config,
  db,
  datadog,
  accounts,
  production
}: {
  config: Config
  db: Knex
  datadog: DatadogService
  accounts: SimulatedAccounts
  production: boolean
}): Promise<Demo | undefined> {
  const real = (await datadog.list()).some(account => !account.simulated)
  if (config.mode === 'off' || (config.mode === 'auto' && (real || production))) return undefined
  if (real)
    throw bootError(
      'RAYNE_DEMO_MODE=on beside a real Datadog account: simulated and real evidence are never mixed; ' +
        'unset the keys or the mode'
    )
  if (config.accounts !== '') {
    const external = parseAccounts(config.accounts)
    external.forEach(account => register(accounts, account))
    return {
      where: external[0]?.baseUrl ?? '',
      incidentId: undefined,
      simulator: undefined,
      close: () => Promise.resolve()
    }
  }
  const incident = await currentIncident(db, config.world || config.scenario, Date.now())
  const simulator = await createSimulator(
    config.world === ''
      ? { scenario: config.scenario, t0: incident.onset }
      : { world: config.world }
  )
  simulator.accounts.forEach(account => register(accounts, account))
  return {
    where: simulator.dataUrl,
    incidentId: incident.id,
    simulator,
    close: () => simulator.close()
  }
}

function register(
  accounts: SimulatedAccounts,
  { name, baseUrl, apiKey, appKey, orgId }: SimAccount
): void {
  accounts.add({ name, baseUrl, appUrl: baseUrl, apiKey, appKey, orgId: String(orgId) })
}

function parseAccounts(text: string): SimAccount[] {
  try {
    const accounts = JSON.parse(text) as SimAccount[]
    if (
      Array.isArray(accounts) &&
      accounts.length > 0 &&
      accounts.every(account => typeof account.baseUrl === 'string')
    )
      return accounts
    throw new Error('it is no list of accounts')
  } catch (error) {
    throw bootError(
      `RAYNE_DEMO_ACCOUNTS must be the JSON list of accounts a simulator prints: ${errorText(error)}`
    )
  }
}
