import { createAccounts, type Account, type SimAccount } from './world/accounts.ts'
import { createClock, type Clock } from './world/clock.ts'
import { createControlPlane, type Controls } from './control/control-plane.ts'
import { createDataPlane } from './control/data-plane.ts'
import {
  fire,
  post,
  renderAlert,
  type Delivery,
  type FireRequest,
  type WebhookTarget
} from './control/deliver.ts'
import { createRecentWrites } from './control/fault-bodies.ts'
import { createFaults } from './control/faults.ts'
import { listen, shut } from './control/http.ts'
import { createNotifier, sendSequence, type Notification } from './control/notifier.ts'
import { createJournal, type JournalEntry } from './control/journal.ts'
import { createRateLimits } from './control/rate-limits.ts'
import { loadScenario, type ScenarioFile } from './scenarios/load-scenario.ts'
import { resolveTruth, type Truth } from './scenarios/truth.ts'
import { drawVariant, retell } from './scenarios/variant.ts'
import { loadWorld, type RecordedWorld } from './world/world-file.ts'
import type { DatadogSnapshot } from '../plugins/rca/service/snapshot.ts'

export type { SimAccount, Delivery, FireRequest, JournalEntry, Notification, Truth, WebhookTarget }

export interface SimulatorOptions {
  /** An id under `scenarios/`, a path ending in `.json`, or the scenario itself. */
  readonly scenario?: string | ScenarioFile
  /** A file of `rayne record`, or what was in it: it is replayed instead of a scenario. */
  readonly world?: string | DatadogSnapshot
  readonly seed?: number
  /** Retells the scenario under other names and at another strength; 0, the default, leaves it as written. */
  readonly variant?: number
  /** Virtual time in epoch ms; 'real' (the default) follows the machine's clock. */
  readonly now?: (() => number) | 'real'
  /** Onset of the incident in epoch ms; by default 20 minutes before now, on a full minute. */
  readonly t0?: number
  readonly dataPort?: number
  readonly controlPort?: number
  readonly latency?: 'none' | 'realistic'
  /** 'observed' answers 429 beyond the limits seen on the real API; headers are sent either way. */
  readonly rateLimits?: 'observed' | 'off'
  readonly webhookTarget?: WebhookTarget
}

/** A running simulator; `truth` is for graders and never leaves the control plane. */
export interface Simulator {
  readonly dataUrl: string
  readonly controlUrl: string
  readonly accounts: readonly SimAccount[]
  readonly truth: Truth | null
  readonly t0: number
  fireWebhook(request?: FireRequest): Promise<Delivery>
  /** The body `fireWebhook` would send, without sending it. */
  renderWebhook(request?: FireRequest): string
  /** Adds a fault, as `POST /__sim/faults` does. */
  addFault(fault: unknown): void
  setTarget(target: WebhookTarget): void
  journal(): readonly JournalEntry[]
  /** Whether an answer since the last reset held this id. */
  wasReturned(id: string): boolean
  /** What monitors notified as the clock passed it, and what downtimes kept back. */
  notifications(): readonly Notification[]
  reset(): void
  close(): Promise<void>
}

/** Starts the simulated Datadog on two loopback ports; the same seed and time give the same bytes. */
export async function createSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { now = 'real', dataPort = 0, controlPort = 0, latency = 'none' } = options
  const clock = createClock(now === 'real' ? Date.now : now)
  const recorded = options.world === undefined ? undefined : loadWorld(options.world)
  const core = createCore(options, clock, recorded)
  const data = createDataPlane({
    accounts: () => core.state.accounts,
    clock,
    journal: core.journal,
    faults: core.faults,
    limits: core.limits,
    recent: core.recent,
    generation: () => core.state.generation,
    latency,
    ...(recorded ? { recorded: recorded.answer } : {})
  })
  const control = createControlPlane(core.controls)
  const dataUrl = await listen(data, dataPort)
  const controlUrl = await listen(control, controlPort).catch(async (error: unknown) => {
    await shut(data)
    throw error
  })
  return {
    dataUrl,
    controlUrl,
    get accounts() {
      return core.state.accounts.map(a => ({
        name: a.spec.name,
        apiKey: a.apiKey,
        appKey: a.appKey,
        site: a.spec.site,
        orgId: a.spec.orgId,
        baseUrl: `${dataUrl}/acct/${a.spec.name}`
      }))
    },
    get truth() {
      return core.truth()
    },
    get t0() {
      return core.state.t0
    },
    fireWebhook: request => core.fire(request ?? {}),
    renderWebhook: request => core.render(request ?? {}),
    addFault: core.faults.add,
    setTarget: target => {
      core.state.target = target
    },
    journal: core.journal.all,
    wasReturned: core.journal.returned,
    notifications: core.notifier.sent,
    reset: core.reset,
    close: async () => {
      core.notifier.close()
      await Promise.all([shut(data), shut(control)])
    }
  }
}

function build(source: string | ScenarioFile, seed: number, t0: number, variant: number) {
  const written = loadScenario(source)
  const loaded = retell(written, drawVariant(written, variant, seed))
  return {
    source,
    variant,
    scenario: loaded.full,
    loaded,
    seed,
    t0,
    accounts: createAccounts(loaded, seed, t0)
  }
}

function createCore(options: SimulatorOptions, clock: Clock, recorded: RecordedWorld | undefined) {
  const seed = options.seed ?? 1
  const journal = createJournal()
  const faults = createFaults(seed)
  const limits = createRateLimits(options.rateLimits === 'observed')
  const recent = createRecentWrites()
  const state = {
    ...build(
      recorded?.scenario ?? options.scenario ?? 's1',
      seed,
      recorded?.t0 ?? options.t0 ?? Math.floor(clock.now() / 60_000) * 60_000 - 20 * 60_000,
      options.variant ?? 0
    ),
    generation: 1,
    target: options.webhookTarget
  }
  const notifier = createNotifier(
    clock,
    () => state.accounts,
    () => state.target
  )
  const restart = (next: Partial<typeof state>): void => {
    Object.assign(state, next, { generation: state.generation + 1 })
    for (const part of [clock, journal, faults, limits, recent, notifier]) part.reset()
  }
  const reset = (): void =>
    restart({ accounts: createAccounts(state.loaded, state.seed, state.t0) })
  const truth = () => {
    const account = state.accounts.find(a => a.spec.incident)
    return account ? resolveTruth(state.scenario, account, state.t0) : null
  }
  const send = (request: FireRequest) =>
    recorded
      ? sendRecorded(recorded, state.target)
      : fire(state.accounts, state.scenario.alert?.monitor, state.target, request, clock.now())
  const render = (request: FireRequest) =>
    recorded?.webhook ??
    renderAlert(state.accounts, state.scenario.alert?.monitor, request, clock.now()).body
  const summary = () => ({
    scenario: state.scenario.id,
    seed: state.seed,
    t0: new Date(state.t0).toISOString(),
    now: new Date(clock.now()).toISOString(),
    faults: faults.list(),
    notifications: notifier.sent(),
    accounts: state.accounts.map(account => accountState(account, clock.now()))
  })
  const controls: Controls = {
    reset: () => {
      reset()
      return summary()
    },
    state: summary,
    truth,
    journal: () => ({ entries: journal.all() }),
    fire: body => send(body),
    faults: body => {
      faults.add(body)
      return { faults: faults.list() }
    },
    sequence: body =>
      sendSequence(state.accounts, state.scenario.alert?.monitor, state.target, body, clock.now()),
    clock: async body => {
      clock.set(clockChange(body))
      await notifier.pump()
      return summary()
    },
    scenario: body => {
      restart(
        build(
          (body['scenario'] ?? state.source) as string | ScenarioFile,
          body['seed'] === undefined ? state.seed : finite(body['seed']),
          body['t0'] === undefined ? state.t0 : instant(body['t0']),
          body['variant'] === undefined ? state.variant : finite(body['variant'])
        )
      )
      return summary()
    }
  }
  return {
    state,
    notifier,
    journal,
    faults,
    limits,
    recent,
    reset,
    truth,
    fire: send,
    render,
    controls
  }
}

async function sendRecorded(
  recorded: RecordedWorld,
  target: WebhookTarget | undefined
): Promise<Delivery> {
  if (!target) throw new Error('no webhook target is configured')
  return post({ headers: {}, ...target }, recorded.webhook)
}

const accountState = ({ spec, notebooks, webhooks, monitors }: Account, now: number): object => ({
  name: spec.name,
  site: spec.site,
  notebooks: notebooks.size,
  webhooks: [...webhooks.keys()],
  monitors: monitors.map(m => ({ id: m.id, name: m.spec.name, status: m.overall(now) }))
})

function clockChange(body: Record<string, unknown>) {
  const speed = body['speed'] === undefined ? {} : { speed: finite(body['speed']) }
  const advance = body['advance_ms'] === undefined ? {} : { advance: finite(body['advance_ms']) }
  return {
    ...(body['now'] === undefined ? {} : { now: instant(body['now']) }),
    ...speed,
    ...advance
  }
}

function finite(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Error('seed, speed and advance_ms are numbers')
  return value
}

/** Epoch ms from a number or an ISO time. */
function instant(value: unknown): number {
  const at = typeof value === 'number' ? value : Date.parse(String(value))
  if (!Number.isFinite(at)) throw new Error(`'${String(value)}' is not a time`)
  return at
}
