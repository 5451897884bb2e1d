import { minuteMs, type Knex } from '../../../../core/index.ts'
import { needsAnalysis, type AlertReceived, type Incident } from '../../contract.ts'
import type { Member } from '../../store/member-rows.ts'
import { incidentStore } from '../../store/incidents.ts'
import { memberStore, type KnownProblem } from '../../store/members.ts'
import type { Begin } from './begin-incident.ts'
import { timeText, type IncidentKeeper } from './keep-incidents.ts'
import { hear, type Heard } from './name-problem.ts'
import {
  endsBeforehand,
  endsWhatFires,
  flaps,
  goesOn,
  isOfBefore,
  type Moment,
  type Patience
} from './order-of-events.ts'

const sameRecoveryMs = 15 * minuteMs

/**
 * Makes each alert an occurrence of its incident, once, in whatever order they come: a repeated one is counted, one
 * after a recovery flaps, a recovery closes, and what is new begins an incident or joins one.
 */
export function createAlertTaker(needs: {
  readonly keeper: IncidentKeeper
  readonly begin: Begin
  readonly patience: Patience
}) {
  const { keeper, begin, patience } = needs

  async function recover(trx: Knex.Transaction, heard: Heard, member: Member | undefined) {
    const { moment, occurrence } = heard
    if (member?.firing && endsWhatFires(moment, member.fired)) {
      const incident = await hold(trx, member)
      await memberStore.count(trx, member.id, occurrence)
      const text = `recovered at ${timeText(moment.at)}`
      return end(trx, keeper, member, incident, { at: moment.at, moment, text })
    }
    const isSame = moment.cycle === null || moment.cycle === member?.cycle
    const isSoon = member && moment.receivedAt - member.lastAt <= sameRecoveryMs
    // Told again, or told before the alert it belongs to.
    if (!member || member.firing || !isSame || !isSoon)
      return memberStore.keepRecovery(trx, occurrence)
    await memberStore.count(trx, member.id, occurrence)
    if (moment.at > (member.recovered?.at ?? 0)) await memberStore.recover(trx, member.id, moment)
  }

  /** The same problem fires again: counted, and nothing else unless it has changed. */
  async function repeat(trx: Knex.Transaction, heard: Heard, member: Member): Promise<void> {
    const { occurrence, severity, received } = heard
    if (severity === member.severity) return memberStore.count(trx, member.id, occurrence)
    const incident = await hold(trx, member)
    await memberStore.count(trx, member.id, occurrence, { severity })
    await keeper.sumUp(trx, incident)
    if (needsAnalysis(received.alert)) await keeper.gather(trx, incident, received.event_id)
  }

  async function reopen(trx: Knex.Transaction, heard: Heard, member: Member): Promise<void> {
    const { occurrence, severity, received } = heard
    const incident = await hold(trx, member)
    await memberStore.count(trx, member.id, occurrence, { severity, flapped: true })
    const wasClosed = incident.state === 'closed'
    if (wasClosed) {
      const text = `fires again, ${incident.flaps + 1} times by now`
      await incidentStore.log(trx, incident.id, { kind: 'reopened', by: null, text })
    }
    await keeper.sumUp(
      trx,
      incident,
      { flapped: true, ...(wasClosed ? { state: 'open', closedAt: null, closedBy: null } : {}) },
      wasClosed ? 'reopened' : undefined
    )
    if (needsAnalysis(received.alert)) await keeper.gather(trx, incident, received.event_id)
  }

  /** A recovery that came before this alert ends it now. */
  async function endIfRecovered(
    trx: Knex.Transaction,
    { moment, names }: Heard,
    early: KnownProblem['early'],
    id: number
  ): Promise<void> {
    const recovered = early.find(each => endsBeforehand(each, moment))
    const member = recovered && (await memberStore.find(trx, id))
    if (!recovered || !member) return
    const incident = await hold(trx, member)
    const { eventId, at } = recovered
    const occurrence = { eventId, problem: names.problem, firing: false, moment: recovered }
    await memberStore.count(trx, id, occurrence)
    const text = `recovered at ${timeText(at)}, which was told before the alert`
    await end(trx, keeper, member, incident, { at, moment: recovered, text })
  }

  /** The member an alert is counted for; undefined when it was over before it came. */
  async function fire(
    trx: Knex.Transaction,
    heard: Heard,
    member: Member | undefined
  ): Promise<Member | undefined> {
    const { moment, occurrence } = heard
    if (member?.firing && goesOn(moment, member, patience)) {
      await repeat(trx, heard, member)
      return member
    }
    if (member && !member.firing) {
      if (member.recovered && isOfBefore(moment, member.recovered)) {
        await memberStore.count(trx, member.id, occurrence, { fires: false })
        return undefined
      }
      if (flaps(moment, member, patience)) {
        await reopen(trx, heard, member)
        return member
      }
    }
    if (member?.firing) {
      const text = 'its recovery never came: it fires anew'
      await end(trx, keeper, member, await hold(trx, member), {
        at: member.lastAt,
        moment: null,
        text
      })
    }
    return begin(trx, heard)
  }

  /** False when this event was taken before. */
  return async (trx: Knex.Transaction, received: AlertReceived): Promise<boolean> => {
    const heard = hear(received)
    const { member, isCounted, early } = await memberStore.hear(
      trx,
      heard.names.problem,
      received.event_id
    )
    if (isCounted) return false
    if (!received.alert.firing) {
      await recover(trx, heard, member)
      return true
    }
    const fired = await fire(trx, heard, member)
    if (fired && early.length > 0) await endIfRecovered(trx, heard, early, fired.id)
    return true
  }
}
export type TakeAlert = ReturnType<typeof createAlertTaker>

/** The incident of a member, held; a merge may move the member meanwhile. */
async function hold(trx: Knex.Transaction, member: Member): Promise<Incident> {
  for (let id = member.incidentId; ;) {
    const incident = await incidentStore.hold(trx, id)
    const now = await memberStore.find(trx, member.id)
    if (incident && now?.incidentId === id) return incident
    if (!now) throw new Error(`the member ${member.id} of an incident was deleted meanwhile`)
    id = now.incidentId
  }
}

/** A member fires no more; its incident is over when none of it does. */
async function end(
  trx: Knex.Transaction,
  keeper: IncidentKeeper,
  member: Member,
  incident: Incident,
  { at, moment, text }: { at: number; moment: Moment | null; text: string }
): Promise<void> {
  await memberStore.recover(trx, member.id, moment)
  if (incident.state !== 'open') return
  const firing = await keeper.sumUp(trx, incident)
  if (firing === 0) await keeper.close(trx, incident.id, { at, by: null, text })
}
