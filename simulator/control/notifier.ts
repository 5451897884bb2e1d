import type { Account } from '../world/accounts.ts'
import type { Clock } from '../world/clock.ts'
import {
  chooseAlert,
  deliver,
  type Delivery,
  type FireRequest,
  type WebhookTarget
} from './deliver.ts'
import { silencedBy } from '../world/downtimes.ts'
import { transitionName, type Monitor, type Transition } from '../world/monitors.ts'
import { hash, mix } from '../world/random.ts'
import { webhookVariables, type WebhookVariables } from './webhook-template.ts'

/** One notification as it went out, or the downtime that kept it back. */
export interface Notification {
  readonly at: number
  readonly account: string
  readonly monitor: string
  readonly transition: string
  readonly webhook: string | null
  readonly status: number | null
  readonly silenced_by?: string
  readonly error?: string
}
const LONGEST = 24 * 3_600_000
const KEPT = 2000
const POLL_MS = 1000

/** Sends what monitors notify as the virtual clock passes it: to the webhooks their message names, and to the target. */
export function createNotifier(
  clock: Clock,
  accounts: () => readonly Account[],
  target: () => WebhookTarget | undefined
) {
  let seen = clock.now()
  let sent: Notification[] = []
  let running: Promise<void> = Promise.resolve()
  const note = (one: Notification): void => {
    sent = [...sent.slice(-KEPT), one]
  }

  async function notify(account: Account, monitor: Monitor, transition: Transition): Promise<void> {
    const about = {
      at: transition.at,
      account: account.spec.name,
      monitor: monitor.spec.name,
      transition: transitionName(transition)
    }
    const silent = silencedBy(account.downtimes.values(), monitor, transition.group, transition.at)
    if (silent) {
      note({ ...about, webhook: null, status: null, silenced_by: silent.id })
      return
    }
    const stored = [...monitor.spec.message.matchAll(/@webhook-([\w-]+)/g)].flatMap(
      ([, name = '']) => account.webhooks.get(name) ?? []
    )
    const here = account.spec.incident && target() !== undefined ? [undefined] : []
    for (const webhook of [...stored, ...here]) {
      const outcome = await deliver(
        webhookVariables(account, monitor, transition),
        webhook,
        target()
      ).then(
        ({ status }) => ({ status }),
        (error: unknown) => ({ status: null, error: String(error) })
      )
      note({ ...about, webhook: webhook?.name ?? null, ...outcome })
    }
  }

  async function pass(): Promise<void> {
    const now = clock.now()
    const from = Math.max(seen + 1, now - LONGEST)
    if (
      now <= seen ||
      !accounts().some(
        account => account.webhooks.size > 0 || (account.spec.incident && target() !== undefined)
      )
    ) {
      seen = now
      return
    }
    seen = now
    const due = accounts().flatMap(account =>
      account.monitors.flatMap(monitor =>
        monitor.transitions(from, now).map(transition => ({ account, monitor, transition }))
      )
    )
    for (const { account, monitor, transition } of due.toSorted(
      (a, b) => a.transition.at - b.transition.at
    ))
      await notify(account, monitor, transition)
  }
  const pump = (): Promise<void> => (running = running.then(pass))
  const timer = setInterval(() => void pump(), POLL_MS)
  timer.unref()
  return {
    pump,
    sent: () => sent,
    reset(): void {
      seen = clock.now()
      sent = []
    },
    close(): void {
      clearInterval(timer)
    }
  }
}

/** What a sequence sends: the life of one alert, each step `copies` times, in the order of `shuffle`. */
export interface SequenceRequest extends FireRequest {
  readonly steps?: readonly string[]
  readonly copies?: number
  readonly shuffle?: boolean
  readonly every_ms?: number
}
const lifeOfAnAlert = ['Triggered', 'Re-Triggered', 'Recovered']

/** Webhooks as a bad day sends them: repeated, out of order, re-triggered; all of one alert share `$ALERT_CYCLE_KEY`. */
export async function sendSequence(
  accounts: readonly Account[],
  alertMonitor: string | undefined,
  target: WebhookTarget | undefined,
  request: SequenceRequest,
  now: number
): Promise<{ step: string; delivery: Delivery }[]> {
  const { steps = lifeOfAnAlert, copies = 1, shuffle = false, every_ms: every = 600_000 } = request
  const { transition: _own, ...chosen } = request
  const { account, monitor, transition, variables } = chooseAlert(
    accounts,
    alertMonitor,
    { ...chosen, transition: 'Triggered' },
    now
  )
  const planned = steps.flatMap((step, i) => {
    const at = transition.at + i * every
    const own = stepVariables(account, monitor, { transition, step, at }, variables)
    return Array.from({ length: copies }, () => ({ step, own }))
  })
  const order = shuffle
    ? planned
        .map((one, i) => ({ one, key: mix(hash(account.world.seed, 'shuffle', monitor.id), i) }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ one }) => one)
    : planned
  const stored = request.webhook === undefined ? undefined : account.webhooks.get(request.webhook)
  const sent: { step: string; delivery: Delivery }[] = []
  for (const { step, own } of order)
    sent.push({ step, delivery: await deliver(own, stored, target) })
  return sent
}

function stepVariables(
  account: Account,
  monitor: Monitor,
  { transition, step, at }: { transition: Transition; step: string; at: number },
  first: WebhookVariables
): WebhookVariables {
  const recovered = step.endsWith('Recovered')
  const changed: Transition = recovered
    ? { ...transition, at, from: 'Alert', to: 'OK', value: 0 }
    : { ...transition, at }
  const own = webhookVariables(account, monitor, changed, step)
  return {
    tags: own.tags,
    values: { ...own.values, ALERT_CYCLE_KEY: first.values['ALERT_CYCLE_KEY'] ?? '' }
  }
}
