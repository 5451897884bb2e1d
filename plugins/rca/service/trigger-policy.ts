import type { Static } from '../../../core/index.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { config } from '../config.ts'

/** Which incidents are analysed; a list that is empty lets all through. */
export interface TriggerPolicy {
  readonly statuses: readonly string[]
  readonly priorities: readonly string[]
  readonly tags: readonly string[]
  readonly accounts: readonly string[]
  /** Three letters each, as `mon`. */
  readonly days: readonly string[]
  /** Minutes of the day (UTC), the end not included; it may be after midnight. */
  readonly hours: { readonly from: number; readonly to: number } | null
}
type Settings = Pick<
  Static<typeof config>,
  | 'analyse_statuses'
  | 'analyse_priorities'
  | 'analyse_tags'
  | 'analyse_accounts'
  | 'analyse_days'
  | 'analyse_hours'
>

const listOf = (text: string): string[] =>
  text
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
const minutesOf = (clock = ''): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))

/** Reads the policy of the settings. */
export function readPolicy(settings: Settings): TriggerPolicy {
  const [from, to] = settings.analyse_hours.split('-')
  return {
    statuses: listOf(settings.analyse_statuses),
    priorities: listOf(settings.analyse_priorities).map(each => each.toUpperCase()),
    tags: listOf(settings.analyse_tags),
    accounts: listOf(settings.analyse_accounts),
    days: listOf(settings.analyse_days.toLowerCase()),
    hours: to === undefined ? null : { from: minutesOf(from), to: minutesOf(to) }
  }
}

const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** Why an alert that came at a time (epoch ms) is not analysed, or null; the sentence names the setting. */
export function whyNotAnalysed(
  policy: TriggerPolicy,
  account: string | null,
  { status, priority, tags }: Alert,
  receivedAt: number
): string | null {
  const no = (what: string, setting: string): string =>
    `not analysed: ${what} (RAYNE_RCA_ANALYSE_${setting})`
  const has = (wanted: readonly string[], value: string | null): boolean =>
    wanted.length === 0 || (value !== null && wanted.includes(value))
  const at = new Date(receivedAt)
  const minute = at.getUTCHours() * 60 + at.getUTCMinutes()
  // Words that nobody knows count as an alert.
  const known = status === 'warn' ? 'warn' : 'alert'
  if (!has(policy.statuses, known)) return no(`its status is ${known}`, 'STATUSES')
  if (!has(policy.priorities, priority?.toUpperCase() ?? null))
    return no(`its priority is ${priority ?? 'unknown'}`, 'PRIORITIES')
  if (policy.tags.length > 0 && !policy.tags.some(tag => tags.includes(tag)))
    return no(`it has none of the tags ${policy.tags.join(', ')}`, 'TAGS')
  if (!has(policy.accounts, account)) return no(`it is of ${account ?? 'no account'}`, 'ACCOUNTS')
  if (!has(policy.days, weekdays[at.getUTCDay()] ?? null)) return no('it is no such day', 'DAYS')
  return policy.hours === null || isWithin(policy.hours, minute)
    ? null
    : no('it is no such hour', 'HOURS')
}

const isWithin = ({ from, to }: { from: number; to: number }, minute: number): boolean =>
  from <= to ? minute >= from && minute < to : minute >= from || minute < to
