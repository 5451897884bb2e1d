import type { Knex } from '../../../core/index.ts'
import type { Neighbour, NewProblem } from '../service/incidents/find-group.ts'
import type { Occurrence } from '../service/incidents/name-problem.ts'
import type { Moment } from '../service/incidents/order-of-events.ts'
import { memberOf, type Member } from './member-rows.ts'

/** A member that is about to be one. */
export interface NewMember extends NewProblem {
  readonly problem: string
  readonly incidentId: number
  readonly title: string
  readonly monitorId: string | null
  readonly scope: string | null
  readonly severity: number
  readonly eventId: number
  readonly moment: Moment
  readonly rule: string
  readonly why: string
}
/** What is known of a problem when its next alert comes. */
export interface KnownProblem {
  /** Whether this event was counted before. */
  readonly isCounted: boolean
  /** The newest recoveries that came before their alert. */
  readonly early: readonly (Moment & { readonly eventId: number })[]
  readonly member: Member | undefined
}
/** What an alert changes of its member. */
export interface Counted {
  readonly severity?: number
  readonly flapped?: boolean
  readonly fires?: boolean
}
const date = (ms: number): Date => new Date(ms)

/** All SQL of the members of incidents and of what was counted. */
export const memberStore = {
  /** Whoever looks for a group holds these names until its transaction ends. */
  async lock(trx: Knex.Transaction, names: readonly string[]): Promise<void> {
    await trx.raw(
      'select pg_advisory_xact_lock(hashtextextended(name, 7220118)) from unnest(?::text[]) as name',
      [names.toSorted()]
    )
  },

  /** Holds a problem until the transaction ends, and says what is known of it. */
  async hear(trx: Knex.Transaction, problem: string, eventId: number): Promise<KnownProblem> {
    const { rows } = await trx.raw(
      `select h.is_counted as "isCounted", h.early, (h.member).* from webhooks_hear(?, ?) as h`,
      [problem, eventId]
    )
    const { isCounted, early, ...member } = rows[0]
    return {
      isCounted,
      early: early ?? [],
      member: member.id === null ? undefined : memberOf(member)
    }
  },

  async find(db: Knex, id: number): Promise<Member | undefined> {
    const row = await db('webhooks_members').where({ id }).first()
    return row && memberOf(row)
  },

  /** Members of open incidents near in time to a new problem: of its monitor, its host or its service. */
  async neighbours(
    trx: Knex.Transaction,
    { monitor, onHost, ofService, at }: NewProblem,
    withinMs: number
  ): Promise<Neighbour[]> {
    const { rows } = await trx.raw(
      `select i.id::float8 as "incidentId", m.monitor, m.on_host as "onHost",
        m.of_service as "ofService", extract(epoch from m.joined_at)::float8 * 1000 as "joinedAt",
        i.settled_at is null as "isGathering"
      from webhooks_members m
      join webhooks_incidents i on i.id = m.incident_id
      where (m.monitor = ? or m.on_host = ? or m.of_service = ?)
        and m.joined_at between ? and ?
        and i.state = 'open' and not i.is_split
      order by i.id limit 1000`,
      [monitor, onHost, ofService, date(at - withinMs), date(at + withinMs)]
    )
    return rows
  },

  /** A member, and the alert that made it one. */
  async add(trx: Knex.Transaction, member: NewMember): Promise<Member> {
    const { moment } = member
    const [row] = await trx
      .with(
        'added',
        trx('webhooks_members')
          .insert({
            incident_id: member.incidentId,
            problem: member.problem,
            monitor: member.monitor,
            on_host: member.onHost,
            of_service: member.ofService,
            title: member.title,
            monitor_id: member.monitorId,
            scope: member.scope,
            service: member.service,
            host: member.host,
            severity: member.severity,
            firing: true,
            cycle: moment.cycle,
            fired_at: date(moment.at),
            fired_timed: moment.timed,
            joined_at: date(moment.receivedAt),
            last_at: date(moment.receivedAt),
            first_event_id: member.eventId,
            last_event_id: member.eventId,
            occurrences: 1,
            rule: member.rule,
            why: member.why
          })
          .returning('*')
      )
      .with(
        'counted',
        trx.raw(
          `insert into webhooks_occurrences
            (event_id, member_id, problem, firing, cycle, at, timed, received_at)
          select first_event_id, id, problem, true, cycle, fired_at, fired_timed, joined_at
          from added`
        )
      )
      .select('*')
      .from('added')
    return memberOf(row)
  },

  /** Counts an event of a member; an alert that fires moves what is known of it. */
  async count(
    trx: Knex.Transaction,
    memberId: number,
    { eventId, problem, firing, moment }: Occurrence,
    change: Counted = {}
  ): Promise<void> {
    const counted = trx('webhooks_occurrences')
      .insert({ event_id: eventId, member_id: memberId, problem, firing, ...momentRow(moment) })
      .onConflict('event_id')
      .merge(['member_id'])
    const fires = firing && change.fires !== false
    await trx('webhooks_members')
      .with('counted', counted)
      .where({ id: memberId })
      .update({
        occurrences: trx.raw('occurrences + 1'),
        flaps: trx.raw('flaps + ?', [change.flapped ? 1 : 0]),
        last_at: trx.raw('greatest(last_at, ?::timestamptz)', [date(moment.receivedAt)]),
        last_event_id: trx.raw('greatest(last_event_id, ?)', [eventId]),
        ...(fires
          ? {
              firing: true,
              cycle: moment.cycle,
              fired_at: trx.raw('greatest(fired_at, ?::timestamptz)', [date(moment.at)]),
              fired_timed: moment.timed,
              ...(change.severity === undefined ? {} : { severity: change.severity })
            }
          : {})
      })
  },

  /** A recovery nobody waits for: the alert it ends may still come. */
  async keepRecovery(
    trx: Knex.Transaction,
    { eventId, problem, firing, moment }: Occurrence
  ): Promise<void> {
    await trx('webhooks_occurrences').insert({
      event_id: eventId,
      problem,
      firing,
      ...momentRow(moment)
    })
  },

  async recover(trx: Knex.Transaction, id: number, moment: Moment | null): Promise<void> {
    await trx('webhooks_members')
      .where({ id })
      .update({
        firing: false,
        ...(moment === null ? {} : { recovered_at: date(moment.at), recovered_timed: moment.timed })
      })
  },

  /** Nothing of an incident fires any more. */
  async endAll(trx: Knex.Transaction, incidentId: number): Promise<void> {
    await trx('webhooks_members').where({ incident_id: incidentId }).update({ firing: false })
  },

  /** Those of these ids that are members of an incident, oldest first. */
  async listOf(db: Knex, incidentId: number, ids: readonly number[]): Promise<Member[]> {
    const rows = await db('webhooks_members')
      .where({ incident_id: incidentId })
      .whereIn('id', [...ids])
      .orderBy('id')
    return rows.map(memberOf)
  },

  /** Gives members to another incident; of those in `ids`, or all of an incident. */
  async move(
    trx: Knex.Transaction,
    which: { readonly from: number; readonly ids?: readonly number[] },
    to: { readonly incidentId: number; readonly rule: string; readonly why: string }
  ): Promise<number> {
    return trx('webhooks_members')
      .where({ incident_id: which.from })
      .where(query => {
        if (which.ids) query.whereIn('id', [...which.ids])
      })
      .update({ incident_id: to.incidentId, rule: to.rule, why: to.why })
  },

  /** The worst that fires, else the worst that did, and how many fire. */
  async sumUp(
    trx: Knex.Transaction,
    incidentId: number
  ): Promise<{ readonly firing: number; readonly severity: number; readonly members: number }> {
    const [row] = await trx('webhooks_members')
      .where({ incident_id: incidentId })
      .select(
        trx.raw('count(*)::int as members'),
        trx.raw('(count(*) filter (where firing))::int as firing'),
        trx.raw('coalesce(max(severity) filter (where firing), max(severity), 0)::int as severity')
      )
    return row
  },

  /** Oldest first; those after an id. */
  async list(
    db: Knex,
    incidentId: number,
    page: { readonly after: number; readonly limit: number }
  ): Promise<Member[]> {
    const rows = await db('webhooks_members')
      .where({ incident_id: incidentId })
      .where('id', '>', page.after)
      .orderBy('id')
      .limit(page.limit)
    return rows.map(memberOf)
  }
}

const momentRow = ({ cycle, at, timed, receivedAt }: Moment) => ({
  cycle,
  at: date(at),
  timed,
  received_at: date(receivedAt)
})
