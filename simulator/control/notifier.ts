import type { Account } from '../world/accounts.ts'
import type { Clock } from '../world/clock.ts'
import { silencedBy } from '../world/downtimes.ts'
import { transitionName, type Monitor, type Transition } from '../world/monitors.ts'
import { deliver, type Post } from './deliver.ts'
import { webhookVariables } from './webhook-template.ts'

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
/** What the notifier reads anew each time. */
export interface Notified {
  readonly clock: Clock
  readonly accounts: () => readonly Account[]
  readonly post: () => Post
}
interface Due {
  readonly account: Account
  readonly monitor: Monitor
  readonly transition: Transition
}
const LONGEST_MS = 24 * 3_600_000
const KEPT = 2000
const POLL_MS = 1000

/** Sends what monitors notify as the clock passes it: to the webhooks their message names, and to the target. */
export function createNotifier(notified: Notified) {
  const { clock } = notified
  let seen = clock.now()
  let sent: Notification[] = []
  let running: Promise<void> = Promise.resolve()
  const pass = async (): Promise<void> => {
    const now = clock.now()
    const due = now > seen ? dueBetween(notified, Math.max(seen + 1, now - LONGEST_MS), now) : []
    seen = now
    for (const one of due) sent = [...sent, ...(await notify(notified.post(), one))].slice(-KEPT)
  }
  const pump = (): Promise<void> => (running = running.then(pass))
  const timer = setInterval(() => void pump(), POLL_MS)
  timer.unref()
  return {
    pump,
    sent: (): readonly Notification[] => sent,
    reset(): void {
      seen = clock.now()
      sent = []
    },
    close(): void {
      clearInterval(timer)
    }
  }
}
export type Notifier = ReturnType<typeof createNotifier>

/** What monitors tell between two times, in its order; nothing is evaluated when nobody would be told. */
function dueBetween({ accounts, post }: Notified, from: number, to: number): Due[] {
  return accounts()
    .filter(account => account.webhooks.size > 0 || hearsTarget(account, post()))
    .flatMap(account =>
      account.monitors.flatMap(monitor =>
        monitor.transitions(from, to).map(transition => ({ account, monitor, transition }))
      )
    )
    .toSorted((a, b) => a.transition.at - b.transition.at)
}

const hearsTarget = (account: Account, post: Post): boolean =>
  account.spec.incident && post.target !== undefined

async function notify(post: Post, { account, monitor, transition }: Due): Promise<Notification[]> {
  const about = {
    at: transition.at,
    account: account.spec.name,
    monitor: monitor.spec.name,
    transition: transitionName(transition)
  }
  const silent = silencedBy(account.downtimes.values(), monitor, transition.group, transition.at)
  if (silent) return [{ ...about, webhook: null, status: null, silenced_by: silent.id }]
  const stored = [...monitor.spec.message.matchAll(/@webhook-([\w-]+)/g)].flatMap(
    ([, name = '']) => account.webhooks.get(name) ?? []
  )
  const variables = webhookVariables(account, monitor, transition)
  const told: Notification[] = []
  for (const webhook of [...stored, ...(hearsTarget(account, post) ? [undefined] : [])]) {
    const outcome = await deliver(variables, webhook, post).then(
      ({ status }) => ({ status }),
      (error: unknown) => ({ status: null, error: String(error) })
    )
    told.push({ ...about, webhook: webhook?.name ?? null, ...outcome })
  }
  return told
}
