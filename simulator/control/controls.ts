import type { ScenarioFile } from '../scenarios/load-scenario.ts'
import type { Account } from '../world/accounts.ts'
import type { ClockChange } from '../world/clock.ts'
import type { Controls } from './control-plane.ts'
import type { FireRequest } from './choose-alert.ts'
import { sendSequence } from './send-sequence.ts'
import type { Running } from './running.ts'

/** What the control plane does to a running simulator. */
export function createControls(running: Running): Controls {
  const { clock, faults, journal, notifier } = running
  const state = (): object => summary(running)
  return {
    state,
    truth: running.truth,
    reset() {
      running.reset()
      return state()
    },
    scenario(body) {
      running.retell(retelling(body))
      return state()
    },
    async clock(body) {
      clock.set(clockChange(body))
      await notifier.pump()
      return state()
    },
    faults(body) {
      faults.add(body)
      return { faults: faults.list() }
    },
    fire: body => running.fire(body as FireRequest),
    sequence: body => sendSequence(running.alerts(), running.post(), body),
    journal: () => ({ entries: journal.all() })
  }
}

function summary({ world, clock, faults, notifier }: Running): object {
  const { scenario, seed, t0, accounts } = world()
  const now = clock.now()
  return {
    scenario: scenario.id,
    seed,
    t0: new Date(t0).toISOString(),
    now: new Date(now).toISOString(),
    faults: faults.list(),
    notifications: notifier.sent(),
    accounts: accounts.map(account => accountState(account, now))
  }
}

const accountState = ({ spec, notebooks, webhooks, monitors }: Account, now: number): object => ({
  name: spec.name,
  site: spec.site,
  notebooks: notebooks.size,
  webhooks: [...webhooks.keys()],
  monitors: monitors.map(m => ({ id: m.id, name: m.spec.name, status: m.overall(now) }))
})

const given = <T>(value: unknown, read: (value: unknown) => T): T | undefined =>
  value === undefined ? undefined : read(value)

function retelling(body: Record<string, unknown>) {
  return {
    source: body['scenario'] as string | ScenarioFile | undefined,
    seed: given(body['seed'], finite),
    t0: given(body['t0'], instant),
    variant: given(body['variant'], finite)
  }
}

function clockChange(body: Record<string, unknown>): ClockChange {
  return {
    ...(body['now'] === undefined ? {} : { now: instant(body['now']) }),
    ...(body['speed'] === undefined ? {} : { speed: finite(body['speed']) }),
    ...(body['advance_ms'] === undefined ? {} : { advance: finite(body['advance_ms']) })
  }
}

function finite(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw new Error('seed, variant, speed and advance_ms are numbers')
  return value
}

/** Epoch ms from a number or an ISO time. */
function instant(value: unknown): number {
  const at = typeof value === 'number' ? value : Date.parse(String(value))
  if (!Number.isFinite(at)) throw new Error(`'${String(value)}' is not a time`)
  return at
}
