import { secondMs, type Knex } from '../../../../core/index.ts'
import { needsAnalysis, type Alert, type Incident } from '../../contract.ts'
import type { Member } from '../../store/member-rows.ts'
import { incidentStore } from '../../store/incidents.ts'
import { memberStore, type NewMember } from '../../store/members.ts'
import { findGroup, type Group, type NewProblem } from './find-group.ts'
import { isGathering, type IncidentKeeper } from './keep-incidents.ts'
import { titleOf, type Heard } from './name-problem.ts'

/** How alerts of several problems become one incident. */
export interface Grouping {
  /** `shadow` only says what it would do. */
  readonly mode: 'on' | 'shadow' | 'off'
  /** How near in time they come. */
  readonly seconds: number
  /** How many monitors of one host or service make a storm. */
  readonly monitors: number
}

/** Makes a new problem a member of an incident that is open, or of one of its own. */
export function createBeginning({
  keeper,
  grouping
}: {
  readonly keeper: IncidentKeeper
  readonly grouping: Grouping
}) {
  async function lookForGroup(
    trx: Knex.Transaction,
    problem: NewProblem
  ): Promise<Group | undefined> {
    if (grouping.mode === 'off') return undefined
    const { monitor, onHost, ofService } = problem
    await memberStore.lock(
      trx,
      [monitor, onHost, ofService].filter(name => name !== null)
    )
    const withinMs = grouping.seconds * secondMs
    const neighbours = await memberStore.neighbours(trx, problem, withinMs)
    return findGroup(problem, neighbours, grouping.monitors)
  }

  async function open(
    trx: Knex.Transaction,
    { received, moment, severity }: Heard,
    group: Group | undefined
  ): Promise<Incident> {
    const { alert, account, event_id: eventId } = received
    const incident = await incidentStore.open(trx, {
      account,
      eventId,
      title: titleOf(alert),
      severity,
      ...placeOf(alert),
      env: alert.env,
      openedAt: moment.at,
      ...keeper.gathering(needsAnalysis(alert)),
      wouldMerge: group ? { incidentId: group.incidentId, why: group.why } : null,
      isSplit: false
    })
    if (group) {
      const text = `would be part of incident ${group.incidentId}: ${group.why}`
      await incidentStore.log(trx, incident.id, { kind: 'would-merge', by: null, text })
    }
    return incident
  }

  /** Takes up what is still gathering; what was told of already stays an incident of its own. */
  async function mergeInto(
    trx: Knex.Transaction,
    target: Incident,
    other: Incident,
    { rule, why }: Group
  ): Promise<void> {
    const to = { incidentId: target.id, rule, why: `was incident ${other.id}: ${why}` }
    await memberStore.move(trx, { from: other.id }, to)
    const text = `became part of incident ${target.id}: ${why}`
    await incidentStore.log(trx, other.id, { kind: 'merged', by: null, text })
    await keeper.change(trx, other.id, { state: 'merged', mergedInto: target.id })
    const taken = `incident ${other.id} became part of it: ${why}`
    await incidentStore.log(trx, target.id, { kind: 'merged', by: null, text: taken })
    if (other.settlesAt !== null) await keeper.gather(trx, target, other.eventId)
  }

  /** Undefined when the incident was closed meanwhile. */
  async function join(trx: Knex.Transaction, group: Group): Promise<Incident | undefined> {
    const held = new Map<number, Incident | undefined>()
    for (const id of [group.incidentId, ...group.others].toSorted((a, b) => a - b))
      held.set(id, await incidentStore.hold(trx, id))
    const target = held.get(group.incidentId)
    if (target?.state !== 'open') return undefined
    for (const id of group.others) {
      const other = held.get(id)
      if (other?.state === 'open' && other.settledAt === null)
        await mergeInto(trx, target, other, group)
    }
    return target
  }

  return async (trx: Knex.Transaction, heard: Heard): Promise<Member> => {
    const { received, moment, names, severity } = heard
    const { alert, event_id: eventId } = received
    const { host, service } = alert
    const problem: NewProblem = { ...names, at: moment.receivedAt, host, service }
    const group = await lookForGroup(trx, problem)
    const joined = group && grouping.mode === 'on' ? await join(trx, group) : undefined
    const incident = joined ?? (await open(trx, heard, group))
    const member: NewMember = {
      ...problem,
      ...names,
      ...placeOf(alert),
      eventId,
      moment,
      severity,
      incidentId: incident.id,
      title: titleOf(alert),
      scope: alert.scope,
      rule: joined && group ? group.rule : 'first',
      why: joined && group ? group.why : 'it opened the incident'
    }
    const added = await memberStore.add(trx, member)
    if (joined) {
      const text = `${member.title}${alert.scope ? ` (${alert.scope})` : ''}: ${member.why}`
      await incidentStore.log(trx, incident.id, { kind: 'joined', by: null, text })
      await keeper.sumUp(trx, incident, {}, isGathering(incident) ? undefined : 'joined')
      if (needsAnalysis(alert)) await keeper.gather(trx, incident, eventId)
    } else await keeper.opened(trx, incident, received)
    return added
  }
}
export type Begin = ReturnType<typeof createBeginning>

const placeOf = ({ monitor_id: monitorId, service, host }: Alert) => ({ monitorId, service, host })
