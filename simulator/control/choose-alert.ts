import type { Account } from '../world/accounts.ts'
import { transitionName, type Monitor, type Transition } from '../world/monitors.ts'
import { webhookVariables, type WebhookVariables } from './webhook-template.ts'

/** Which alert to send: defaults are the scenario's own monitor and its newest alert. */
export interface FireRequest {
  readonly account?: string
  readonly monitor?: string
  readonly transition?: string
  readonly webhook?: string
}
/** Where alerts come from; `monitor` is the scenario's own. */
export interface AlertSource {
  readonly accounts: readonly Account[]
  readonly monitor: string | undefined
  readonly now: number
}
/** The account, the monitor and the change that a request means. */
export interface ChosenAlert {
  readonly account: Account
  readonly monitor: Monitor
  readonly transition: Transition
  readonly variables: WebhookVariables
}

/** Finds the alert a request means; throws a sentence when there is no such monitor. */
export function chooseAlert(source: AlertSource, request: FireRequest): ChosenAlert {
  const { accounts, now } = source
  const account =
    request.account === undefined
      ? (accounts.find(a => a.spec.incident) ?? accounts[0])
      : accounts.find(a => a.spec.name === request.account)
  const wanted = request.monitor ?? source.monitor
  const monitor = account?.monitors.find(m => m.spec.name === wanted || String(m.id) === wanted)
  if (!account || !monitor)
    throw new Error(`no monitor '${wanted ?? ''}' in account '${request.account ?? ''}'`)
  const transition = transitionOf(monitor, request.transition, now)
  const name = request.transition ?? transitionName(transition)
  return {
    account,
    monitor,
    transition,
    variables: webhookVariables(account, monitor, transition, name)
  }
}

/** The newest change of the wanted kind, or one made up as of now when the monitor never made it. */
function transitionOf(monitor: Monitor, name: string | undefined, now: number): Transition {
  const wanted =
    name === undefined ? 'Triggered' : name.replace(/^Re-|^Renotify$/i, '') || 'Triggered'
  const found = monitor.last(now, transition => transitionName(transition) === wanted)
  if (found) return found
  const to = wanted.endsWith('Recovered')
    ? 'OK'
    : wanted === 'Warn' || wanted === 'No Data'
      ? wanted
      : 'Alert'
  const from = to === 'OK' ? 'Alert' : 'OK'
  return { at: now, group: '', from, to, value: monitor.query.critical }
}
