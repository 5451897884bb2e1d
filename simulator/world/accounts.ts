import { refuse } from '../routes/api-error.ts'
import type { AccountKeys } from './account-keys.ts'
import { createMonitors, type Monitor } from './monitors.ts'
import type { AccountSpec, LoadedScenario } from '../scenarios/load-scenario.ts'
import { createTraces, type Traces } from './spans.ts'
import type { Downtime } from './downtimes.ts'
import type { EventRow } from './event-row.ts'
import { createWorld, type World } from './world.ts'

export interface StoredNotebook {
  readonly id: number
  name: string
  cells: readonly unknown[]
  time: unknown
  metadata: Record<string, unknown>
  template_variables: unknown
  status: string
  readonly created: number
  modified: number
}
export interface StoredWebhook {
  readonly name: string
  url: string
  payload: string
  custom_headers: string | null
  encode_as: string
}

/** What was written about a host: tags become visible a while after `at`. */
export interface HostWrites {
  tags?: readonly { readonly tags: readonly string[]; readonly at: number }[]
  mute?: {
    readonly id: number
    readonly end: number | undefined
    readonly message: string | undefined
  }
}

/** One account: its world, computed, and what was written to it, kept until reset. */
export interface Account extends AccountKeys {
  readonly spec: AccountSpec
  readonly world: World
  readonly traces: Traces
  readonly monitors: Monitor[]
  readonly notebooks: Map<number, StoredNotebook>
  readonly webhooks: Map<string, StoredWebhook>
  readonly downtimes: Map<string, Downtime>
  /** Events written by the intakes; they can be found when they are indexed. */
  readonly events: EventRow[]
  readonly hosts: Map<string, HostWrites>
  /** Plain resources by kind and id: slo, incident, rum, definition, location, entity. */
  readonly resources: Map<string, Map<string, Record<string, unknown>>>
  /** Rises with every write and names what the write made. */
  writes: number
  /** Rises with reads whose order is random in Datadog. */
  reads: number
}

/** Builds the accounts of a scenario; only those marked `incident` see what the scenario adds. */
export function createAccounts(
  loaded: LoadedScenario,
  {
    seed,
    t0,
    keysOf
  }: {
    readonly seed: number
    readonly t0: number
    readonly keysOf: (account: string) => AccountKeys
  }
): Account[] {
  return loaded.full.accounts.map(spec => {
    const world = createWorld(spec, spec.incident ? loaded.full : loaded.calm, seed, t0)
    return {
      spec,
      ...keysOf(spec.name),
      world,
      traces: createTraces(world),
      monitors: createMonitors(world),
      notebooks: new Map(),
      webhooks: new Map(),
      downtimes: new Map(),
      events: [],
      hosts: new Map(),
      resources: new Map(),
      writes: 0,
      reads: 0
    }
  })
}

/** The resources of one kind, made on first use. */
export function resourcesOf(account: Account, kind: string): Map<string, Record<string, unknown>> {
  let found = account.resources.get(kind)
  if (!found) account.resources.set(kind, (found = new Map()))
  return found
}

/** Finds the account a request may speak for, or answers 403 the way Datadog does. */
export function authorise(
  accounts: readonly Account[],
  prefix: string | undefined,
  keys: { readonly api: string | undefined; readonly app: string | undefined },
  route: { readonly apiKeyOnly?: boolean; readonly scope?: string }
): Account {
  if (!keys.api) throw refuse(403, 'API key required')
  const account = accounts.find(
    a => a.apiKey === keys.api && (prefix === undefined || a.spec.name === prefix)
  )
  if (!account || (route.apiKeyOnly !== true && account.appKey !== keys.app))
    throw refuse(403, 'Forbidden')
  // The text of a missing scope is not recorded; it is assumed to be that of a wrong key.
  if (
    route.scope !== undefined &&
    account.spec.scopes &&
    !account.spec.scopes.includes(route.scope)
  )
    throw refuse(403, 'Forbidden')
  return account
}
