import type { Server } from 'node:http'
import { createControlPlane } from './control/control-plane.ts'
import { createControls } from './control/controls.ts'
import { createDataPlane } from './control/data-plane.ts'
import type { FireRequest } from './control/choose-alert.ts'
import { listen, shut } from './control/http.ts'
import type { JournalEntry } from './control/journal.ts'
import type { Notification } from './control/notifier.ts'
import type { Delivery, StoredWebhooksGo, WebhookTarget } from './control/post-webhook.ts'
import { createRunning, type Running } from './control/running.ts'
import type { ScenarioFile } from './scenarios/load-scenario.ts'
import type { Truth } from './scenarios/truth.ts'
import { createClock, type Clock } from './world/clock.ts'
import type { RecordedCalls } from './world/recorded-calls.ts'
import { loadWorld, type RecordedWorld } from './world/world-file.ts'

export type { Delivery, FireRequest, JournalEntry, Notification, Truth, WebhookTarget }

export interface SimulatorOptions {
  /** An id under `scenarios/`, a path ending in `.json`, or the scenario itself. */
  readonly scenario?: string | ScenarioFile
  /** A file of `rayne record`, or what was in it: it is replayed instead of a scenario. */
  readonly world?: string | RecordedCalls
  /** Other numbers, same story; keys are random unless this is given. */
  readonly seed?: number
  /** Retells the scenario under other names and at another strength; 0, the default, leaves it as written. */
  readonly variant?: number
  /** Virtual time in epoch ms; 'real' (the default) follows the machine's clock. */
  readonly now?: (() => number) | 'real'
  /** Onset of the incident in epoch ms; by default 20 minutes before now, on a full minute. */
  readonly t0?: number
  readonly dataPort?: number
  readonly latency?: 'none' | 'realistic'
  /** 'observed' answers 429 beyond the limits seen on the real API; headers are sent either way. */
  readonly rateLimits?: 'observed' | 'off'
  readonly webhookTarget?: WebhookTarget
  /** Where webhooks written through the API go; by default only to the target. */
  readonly storedWebhooksGo?: StoredWebhooksGo
  /** Ports of this machine that no stored webhook reaches: Rayne's own. */
  readonly closedPorts?: readonly number[]
}

/** What a client needs to talk to one account of the simulator. */
export interface SimAccount {
  readonly name: string
  readonly apiKey: string
  readonly appKey: string
  readonly site: string
  readonly orgId: number
  readonly baseUrl: string
}

/** A running simulator; `truth` is for graders and never leaves the control plane. */
export interface Simulator {
  readonly dataUrl: string
  readonly accounts: readonly SimAccount[]
  readonly truth: Truth | null
  readonly t0: number
  /** Opens the listener that knows the truth, on its own port; without this call there is none. */
  openControl(port?: number): Promise<string>
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

/** Starts the simulated Datadog on a loopback port; the same seed and time give the same bytes. */
export async function createSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { now = 'real', dataPort = 0, latency = 'none' } = options
  const clock = createClock(now === 'real' ? Date.now : now)
  const recorded = options.world === undefined ? undefined : loadWorld(options.world)
  let target = options.webhookTarget
  const running = createRunning({
    told: toldBy(options, clock, recorded),
    keySeed: options.seed,
    clock,
    recorded,
    enforcesLimits: options.rateLimits === 'observed',
    post: () => ({
      target,
      storedGo: options.storedWebhooksGo ?? 'to the target only',
      closedPorts: options.closedPorts ?? []
    })
  })
  const data = dataPlaneOf(running, recorded, latency)
  const servers = [data]
  const dataUrl = await listen(data, dataPort)
  return {
    dataUrl,
    get accounts() {
      return accountsAt(dataUrl, running)
    },
    get truth() {
      return running.truth()
    },
    get t0() {
      return running.world().t0
    },
    async openControl(port = 0) {
      const control = createControlPlane(createControls(running))
      const url = await listen(control, port)
      servers.push(control)
      return url
    },
    fireWebhook: request => running.fire(request ?? {}),
    renderWebhook: request => running.render(request ?? {}),
    addFault: running.faults.add,
    setTarget(next) {
      target = next
    },
    journal: running.journal.all,
    wasReturned: running.journal.returned,
    notifications: running.notifier.sent,
    reset: running.reset,
    async close() {
      running.notifier.close()
      await Promise.all(servers.map(shut))
    }
  }
}

const toldBy = (options: SimulatorOptions, clock: Clock, recorded: RecordedWorld | undefined) => ({
  source: recorded?.scenario ?? options.scenario ?? 's1',
  seed: options.seed ?? 1,
  variant: options.variant ?? 0,
  t0: recorded?.t0 ?? options.t0 ?? Math.floor(clock.now() / 60_000) * 60_000 - 20 * 60_000
})

const dataPlaneOf = (
  running: Running,
  recorded: RecordedWorld | undefined,
  latency: 'none' | 'realistic'
): Server =>
  createDataPlane({
    ...running,
    accounts: () => running.world().accounts,
    generation: () => running.world().generation,
    latency,
    ...(recorded ? { recorded: recorded.answer } : {})
  })

const accountsAt = (dataUrl: string, running: Running): SimAccount[] =>
  running.world().accounts.map(({ spec, apiKey, appKey }) => ({
    name: spec.name,
    apiKey,
    appKey,
    site: spec.site,
    orgId: spec.orgId,
    baseUrl: `${dataUrl}/acct/${spec.name}`
  }))
