import { refuse } from './api-error.ts'
import { createMonitors, type Monitor } from './monitors.ts'
import { hash, hex } from './random.ts'
import type { AccountSpec, LoadedScenario } from './scenario.ts'
import { createWorld, type World } from './world.ts'

/** What a client needs to talk to one account of the simulator; keys are derived from the seed. */
export interface SimAccount { readonly name: string; readonly apiKey: string; readonly appKey: string; readonly site: string; readonly orgId: number; readonly baseUrl: string }

export interface StoredNotebook { readonly id: number; name: string; cells: readonly unknown[]; time: unknown; metadata: Record<string, unknown>; template_variables: unknown; status: string; readonly created: number; modified: number }
export interface StoredWebhook { readonly name: string; url: string; payload: string; custom_headers: string | null; encode_as: string }

/** One account: its world, computed, and what was written to it, kept until reset. */
export interface Account {
  readonly spec: AccountSpec
  readonly apiKey: string
  readonly appKey: string
  readonly world: World
  readonly monitors: readonly Monitor[]
  readonly notebooks: Map<number, StoredNotebook>
  readonly webhooks: Map<string, StoredWebhook>
  /** Rises with every write and names what the write made. */
  writes: number
}

/** Builds the accounts of a scenario; only those marked `incident` see what the scenario adds. */
export function createAccounts(loaded: LoadedScenario, seed: number, t0: number): Account[] {
  return loaded.full.accounts.map(spec => {
    const world = createWorld(spec, spec.incident ? loaded.full : loaded.calm, seed, t0)
    const keys = hash(seed, 'keys', spec.name)
    return { spec, apiKey: hex(keys, 32), appKey: hex(keys ^ 0x5bd1e995, 40), world, monitors: createMonitors(world), notebooks: new Map(), webhooks: new Map(), writes: 0 }
  })
}

/** Finds the account a request may speak for, or answers 403 the way Datadog does. */
export function authorise(accounts: readonly Account[], prefix: string | undefined, keys: { readonly api: string | undefined; readonly app: string | undefined }, needsAppKey: boolean): Account {
  if (!keys.api) throw refuse(403, 'API key required')
  const account = accounts.find(a => a.apiKey === keys.api && (prefix === undefined || a.spec.name === prefix))
  if (!account || (needsAppKey && account.appKey !== keys.app)) throw refuse(403, 'Forbidden')
  return account
}
