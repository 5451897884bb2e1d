import { loadScenario, type Scenario, type ScenarioFile } from '../scenarios/load-scenario.ts'
import { resolveTruth, type Truth } from '../scenarios/truth.ts'
import { drawVariant, retell } from '../scenarios/variant.ts'
import { createAccountKeys, type AccountKeys } from '../world/account-keys.ts'
import { createAccounts, type Account } from '../world/accounts.ts'
import type { Clock } from '../world/clock.ts'
import type { RecordedWorld } from '../world/world-file.ts'
import type { AlertSource, FireRequest } from './choose-alert.ts'
import { fire, renderAlert, type Post } from './deliver.ts'
import { createRecentWrites, type RecentWrites } from './fault-bodies.ts'
import { createFaults, type Faults } from './faults.ts'
import { createJournal, type Journal } from './journal.ts'
import { createNotifier, type Notifier } from './notifier.ts'
import { postWebhook, type Delivery } from './post-webhook.ts'
import { createRateLimits, type RateLimits } from './rate-limits.ts'

/** What is simulated: a scenario retold as a variant, with its onset, and the accounts that see it. */
export interface Told {
  readonly source: string | ScenarioFile
  readonly seed: number
  readonly variant: number
  /** Onset, epoch ms. */
  readonly t0: number
}
interface World extends Told {
  readonly scenario: Scenario
  readonly accounts: readonly Account[]
  readonly generation: number
}
/** What a running simulator is made of. */
export interface Parts {
  readonly told: Told
  /** Fixes the keys of the accounts; without it they are random. */
  readonly keySeed: number | undefined
  readonly clock: Clock
  readonly recorded: RecordedWorld | undefined
  readonly enforcesLimits: boolean
  readonly post: () => Post
}
/** A simulator at work, without its listeners. */
export interface Running {
  readonly clock: Clock
  readonly journal: Journal
  readonly faults: Faults
  readonly limits: RateLimits
  readonly recent: RecentWrites
  readonly notifier: Notifier
  readonly post: () => Post
  world(): World
  truth(): Truth | null
  alerts(): AlertSource
  fire(request: FireRequest): Promise<Delivery>
  render(request: FireRequest): string
  /** The same story from its beginning. */
  reset(): void
  /** Another story, or this one otherwise; what is not given stays. */
  retell(change: { readonly [K in keyof Told]?: Told[K] | undefined }): void
}

/** Builds the world and everything that remembers what was done to it. */
export function createRunning(parts: Parts): Running {
  const { clock, recorded, post } = parts
  const keysOf = createAccountKeys(parts.keySeed)
  let world = build(parts.told, keysOf, 1)
  const journal = createJournal()
  const faults = createFaults(world.seed)
  const limits = createRateLimits(parts.enforcesLimits)
  const recent = createRecentWrites()
  const notifier = createNotifier({ clock, accounts: () => world.accounts, post })
  const restart = (told: Told): void => {
    world = build(told, keysOf, world.generation + 1)
    for (const part of [clock, journal, faults, limits, recent, notifier]) part.reset()
  }
  const alerts = (): AlertSource => ({
    accounts: world.accounts,
    monitor: world.scenario.alert?.monitor,
    now: clock.now()
  })
  return {
    clock,
    journal,
    faults,
    limits,
    recent,
    notifier,
    post,
    alerts,
    world: () => world,
    truth: () => truthOf(world),
    fire: request => (recorded ? sendRecorded(recorded, post()) : fire(alerts(), post(), request)),
    render: request => recorded?.webhook ?? renderAlert(alerts(), request).body,
    reset: () => restart(world),
    retell: change => restart({ ...world, ...defined(change) })
  }
}

function build(told: Told, keysOf: (account: string) => AccountKeys, generation: number): World {
  const { source, variant, seed, t0 } = told
  const written = loadScenario(source)
  const loaded = retell(written, drawVariant(written, variant, seed))
  const accounts = createAccounts(loaded, { seed, t0, keysOf })
  return { source, variant, seed, t0, scenario: loaded.full, accounts, generation }
}

function truthOf({ scenario, accounts, t0 }: World): Truth | null {
  const account = accounts.find(a => a.spec.incident)
  return account ? resolveTruth(scenario, account, t0) : null
}

async function sendRecorded(recorded: RecordedWorld, { target }: Post): Promise<Delivery> {
  if (!target) throw new Error('no webhook target is configured')
  return postWebhook({ headers: {}, ...target }, recorded.webhook)
}

/** Only what was given. */
const defined = (change: Parameters<Running['retell']>[0]): Partial<Told> =>
  Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
