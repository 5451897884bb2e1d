import { invalid, notFound, nowMs, RayneError, type Knex } from '../../../../core/index.ts'
import { webhooksErrors, type Incident } from '../../contract.ts'
import { incidentStore } from '../../store/incidents.ts'
import type { Member } from '../../store/member-rows.ts'
import { memberStore } from '../../store/members.ts'
import type { IncidentKeeper } from './keep-incidents.ts'

/** What people do with incidents; `by` is who. State, log and what others are told are one transaction. */
export function createIncidentHandling({
  db,
  keeper
}: {
  readonly db: Knex
  readonly keeper: IncidentKeeper
}) {
  const held = (
    id: number,
    run: (trx: Knex.Transaction, incident: Incident) => Promise<void>
  ): Promise<void> =>
    db.transaction(async trx => {
      const incident = await incidentStore.hold(trx, id)
      if (!incident) throw notFound('incident', String(id), 'GET /v1/incidents')
      await run(trx, incident)
    })

  return {
    acknowledge: (id: number, by: string): Promise<void> =>
      held(id, async (trx, incident) => {
        if (incident.acknowledgedAt !== null) return
        assertOpen(incident, 'acknowledged')
        await incidentStore.log(trx, id, { kind: 'acknowledged', by, text: 'somebody is at it' })
        const change = { acknowledgedAt: nowMs(), acknowledgedBy: by }
        await keeper.change(trx, id, change, 'acknowledged')
      }),

    /** Null takes it from whoever has it. */
    assign: (id: number, to: string | null, by: string): Promise<void> =>
      held(id, async (trx, incident) => {
        if (incident.assignedTo === to) return
        const text = to === null ? 'assigned to nobody' : `assigned to ${to}`
        await incidentStore.log(trx, id, { kind: 'assigned', by, text })
        await keeper.change(trx, id, { assignedTo: to }, 'assigned')
      }),

    note: (id: number, text: string, by: string): Promise<void> =>
      held(id, async trx => {
        await incidentStore.log(trx, id, { kind: 'noted', by, text })
        await keeper.change(trx, id, {}, 'noted')
      }),

    /** Whatever fires of it counts as over; what fires again opens it again, or another one. */
    close: (id: number, text: string | undefined, by: string): Promise<void> =>
      held(id, async (trx, incident) => {
        if (incident.state === 'closed') return
        assertOpen(incident, 'closed')
        await memberStore.endAll(trx, id)
        await keeper.close(trx, id, { at: nowMs(), by, text: text ?? `closed by ${by}` })
      }),

    /** Makes members an incident of their own, which is analysed; answers its id. */
    async split(id: number, memberIds: readonly number[], by: string): Promise<number> {
      let made = 0
      await held(id, async (trx, incident) => {
        assertOpen(incident, 'split')
        made = await split(trx, keeper, incident, memberIds, by)
      })
      return made
    }
  }
}
export type IncidentHandling = ReturnType<typeof createIncidentHandling>

async function split(
  trx: Knex.Transaction,
  keeper: IncidentKeeper,
  incident: Incident,
  ids: readonly number[],
  by: string
): Promise<number> {
  const { id, account, env } = incident
  const members = await memberStore.listOf(trx, id, ids)
  const first = firstOf(members, incident, ids)
  const { firstEventId: eventId, title, monitorId, service, host, severity } = first
  const { id: made } = await incidentStore.open(trx, {
    account,
    env,
    eventId,
    title,
    monitorId,
    service,
    host,
    severity,
    openedAt: first.fired.at,
    settlesAt: null,
    settledAt: null,
    wouldMerge: null,
    isSplit: true
  })
  const why = `${by} split it off incident ${id}`
  await memberStore.move(trx, { from: id, ids }, { incidentId: made, rule: 'split', why })
  await incidentStore.log(trx, made, { kind: 'split', by, text: `split off incident ${id}` })
  const text = `${members.length} members became incident ${made}`
  await incidentStore.log(trx, id, { kind: 'split', by, text })
  if (members.every(({ firing }) => !firing))
    await keeper.close(trx, made, { at: nowMs(), by, text: 'nothing of it fires' })
  const [left] = await memberStore.list(trx, id, { after: 0, limit: 1 })
  const isGone = left !== undefined && members.some(each => each.firstEventId === incident.eventId)
  const firing = await keeper.sumUp(
    trx,
    incident,
    isGone ? { eventId: left.firstEventId } : {},
    'split'
  )
  if (firing === 0)
    await keeper.close(trx, id, { at: nowMs(), by, text: 'nothing of it fires any more' })
  const own = await incidentStore.find(trx, made)
  if (own && incident.settlesAt !== null) await keeper.gather(trx, own, eventId)
  return made
}

/** The oldest of those to split off, or an error that says which cannot be. */
function firstOf(members: readonly Member[], incident: Incident, ids: readonly number[]): Member {
  const [first] = members
  if (!first || members.length < new Set(ids).size)
    throw invalid('/body/members', `names members of incident ${incident.id} by their ids`)
  if (members.length === incident.members)
    throw invalid('/body/members', 'leaves at least one member where it is')
  return first
}

function assertOpen({ id, state, mergedInto }: Incident, what: string): void {
  if (state === 'open') return
  const where = mergedInto === null ? '' : ` into incident ${mergedInto}`
  throw new RayneError({
    code: webhooksErrors['incident-unfit'],
    message: `incident ${id} is ${state}${where}: only an open one can be ${what}`
  })
}
