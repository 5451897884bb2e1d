import type { Account } from '../world/accounts.ts'
import type { Monitor, Transition } from '../world/monitors.ts'
import { hash, mix } from '../world/random.ts'
import { chooseAlert, type AlertSource, type FireRequest } from './choose-alert.ts'
import { deliver, type Post } from './deliver.ts'
import type { Delivery } from './post-webhook.ts'
import { webhookVariables, type WebhookVariables } from './webhook-template.ts'

/** What a sequence sends: the life of one alert, each step `copies` times, in the order of `shuffle`. */
export interface SequenceRequest extends FireRequest {
  readonly steps?: readonly string[]
  readonly copies?: number
  readonly shuffle?: boolean
  readonly every_ms?: number
}
interface Planned {
  readonly step: string
  readonly own: WebhookVariables
}
const lifeOfAnAlert = ['Triggered', 'Re-Triggered', 'Recovered']

/**
 * Webhooks as a bad day sends them: repeated, out of order, re-triggered; those of one alert share
 * `$ALERT_CYCLE_KEY`.
 */
export async function sendSequence(
  source: AlertSource,
  post: Post,
  request: SequenceRequest
): Promise<{ step: string; delivery: Delivery }[]> {
  const {
    steps = lifeOfAnAlert,
    copies = 1,
    shuffle = false,
    every_ms: everyMs = 600_000
  } = request
  const { account, monitor, transition, variables } = chooseAlert(source, {
    ...request,
    transition: 'Triggered'
  })
  const planned = steps.flatMap((step, i): Planned[] => {
    const at = transition.at + i * everyMs
    const own = stepVariables(account, monitor, { transition, step, at }, variables)
    return Array.from({ length: copies }, () => ({ step, own }))
  })
  const stored = request.webhook === undefined ? undefined : account.webhooks.get(request.webhook)
  const sent: { step: string; delivery: Delivery }[] = []
  const seed = hash(account.world.seed, 'shuffle', monitor.id)
  for (const { step, own } of shuffle ? shuffled(planned, seed) : planned)
    sent.push({ step, delivery: await deliver(own, stored, post) })
  return sent
}

const shuffled = <T>(all: readonly T[], seed: number): T[] =>
  all
    .map((one, i) => ({ one, key: mix(seed, i) }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ one }) => one)

function stepVariables(
  account: Account,
  monitor: Monitor,
  { transition, step, at }: { transition: Transition; step: string; at: number },
  first: WebhookVariables
): WebhookVariables {
  const changed: Transition = step.endsWith('Recovered')
    ? { ...transition, at, from: 'Alert', to: 'OK', value: 0 }
    : { ...transition, at }
  const own = webhookVariables(account, monitor, changed, step)
  return {
    tags: own.tags,
    values: { ...own.values, ALERT_CYCLE_KEY: first.values['ALERT_CYCLE_KEY'] ?? '' }
  }
}
