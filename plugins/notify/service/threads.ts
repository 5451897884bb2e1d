import type { Knex } from '../../../core/index.ts'
import type { AnalysisEnded } from '../../rca/contract.ts'
import type { Incidents, ToldIncident } from '../../webhooks/contract.ts'
import type { Message } from '../contract.ts'
import { messageStore, type Thread } from '../store.ts'
import { causeOf, factsOf, incidentMessage, type Cause, type Facts } from './compose.ts'

/** How a change is told where the service cannot edit what it was told before. */
export interface Manner {
  /** Not at all: it is no news for a message of its own. */
  readonly isQuiet: boolean
  /** Only when it is still so after as many seconds. */
  readonly waitSeconds: number
}
/** Puts a message in line for every channel that takes it. */
type Tell = (
  trx: Knex.Transaction,
  threadId: number,
  message: Message,
  facts: Facts,
  manner: Manner
) => Promise<void>

// What flaps is told when it keeps still.
const calmSeconds = 60

/**
 * What is said of an incident: one thread, from the end of its gathering on. Whatever happens to it, its thread is made
 * to say what it is like now, so that nothing depends on the order in which that is told.
 */
export function createThreads({
  tell,
  base,
  incidents,
  begun
}: {
  readonly tell: Tell
  readonly base: string
  readonly incidents: Incidents
  /** Told when a thread has begun, in its transaction. */
  readonly begun: (trx: Knex.Transaction, threadId: number, incidentId: number) => Promise<void>
}) {
  async function begin(
    trx: Knex.Transaction,
    key: string,
    incident: ToldIncident,
    cause: Cause | null
  ) {
    const { account, received } = incident
    const facts = factsOf(account, received.alert)
    const message: Message = { ...incidentMessage(incident, cause, base), key, revision: 1 }
    const id = await messageStore.open(trx, key, message, facts, cause)
    await tell(trx, id, message, facts, { isQuiet: false, waitSeconds: 0 })
    await begun(trx, id, incident.id)
  }

  async function renew(
    trx: Knex.Transaction,
    thread: Thread,
    incident: ToldIncident,
    cause: Cause | null
  ) {
    const before = thread.message
    const words = incidentMessage(incident, cause, base)
    const message: Message = { ...words, key: before.key, revision: before.revision + 1 }
    if (saidOf(before) === saidOf(message)) return
    await messageStore.change(trx, thread.id, message, cause)
    const waitSeconds = incident.flaps > 0 && before.state !== message.state ? calmSeconds : 0
    await tell(trx, thread.id, message, thread.facts, {
      isQuiet: !isNews(before, message, cause !== thread.cause),
      waitSeconds
    })
  }

  async function say(trx: Knex.Transaction, id: number, found?: Cause): Promise<void> {
    const key = `incident-${id}`
    const thread = await messageStore.newest(trx, key)
    // Read when the thread is held, so that a later look never knows less.
    const incident = await incidents.find(id, trx)
    if (!incident || incident.settledAt === null || incident.state === 'merged') return
    const cause = found ?? thread?.cause ?? null
    return thread ? renew(trx, thread, incident, cause) : begin(trx, key, incident, cause)
  }

  return {
    incident: (trx: Knex.Transaction, id: number): Promise<void> => say(trx, id),

    async analysed(trx: Knex.Transaction, ended: AnalysisEnded): Promise<void> {
      // What somebody asked for by hand is read where it was asked.
      if (ended.event_id === null) return
      const found = await incidents.ofEvents([ended.event_id], trx)
      const id = found.get(ended.event_id)
      if (id !== undefined) await say(trx, id, causeOf(ended, base))
    }
  }
}

const saidOf = ({ state, severity, title, lines, links, members }: Message): string =>
  JSON.stringify([state, severity, title, lines, links, members])

/** A cause, an end, a new beginning, something worse, and that it has doubled are news; who is at it is none. */
function isNews(before: Message, now: Message, isCause: boolean): boolean {
  const doublings = ({ members }: Message): number => Math.floor(Math.log2(Math.max(1, members)))
  return (
    isCause ||
    before.state !== now.state ||
    (before.severity !== 'critical' && now.severity === 'critical') ||
    doublings(now) > doublings(before)
  )
}
