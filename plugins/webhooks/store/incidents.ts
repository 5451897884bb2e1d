import type { Knex } from '../../../core/index.ts'
import type { Incident } from '../contract.ts'
import { incidentOf } from './incident-rows.ts'

/** An incident that is about to be one; times are epoch milliseconds. */
export interface NewIncident {
  readonly account: string | null
  readonly eventId: number
  readonly title: string
  readonly monitorId: string | null
  readonly service: string | null
  readonly host: string | null
  readonly env: string | null
  readonly severity: number
  readonly openedAt: number
  readonly settlesAt: number | null
  readonly settledAt: number | null
  readonly wouldMerge: Incident['wouldMerge']
  readonly isSplit: boolean
}
/** What may change of an incident. */
export interface Change {
  readonly state?: Incident['state']
  readonly severity?: number
  readonly eventId?: number
  readonly settlesAt?: number
  readonly settledAt?: number
  readonly closedAt?: number | null
  readonly closedBy?: string | null
  readonly acknowledgedAt?: number
  readonly acknowledgedBy?: string
  readonly assignedTo?: string | null
  readonly mergedInto?: number
  readonly flapped?: boolean
}
/** Which incidents; all of the given conditions hold. */
export interface IncidentFilter {
  readonly state?: string | undefined
  readonly account?: string | undefined
  readonly service?: string | undefined
  readonly host?: string | undefined
  readonly monitor?: string | undefined
  readonly assigned_to?: string | undefined
}
/** One thing that became of an incident. */
export interface LogEntry {
  readonly kind: string
  readonly by: string | null
  readonly text: string
}

const date = (ms: number): Date => new Date(ms)

/** All SQL of incidents. */
export const incidentStore = {
  /** An incident without members yet, and the first line of its log. */
  async open(trx: Knex.Transaction, incident: NewIncident): Promise<Incident> {
    const { wouldMerge, settlesAt, settledAt } = incident
    const { rows } = await trx.raw(
      `with opened as (
        insert into webhooks_incidents (account, event_id, title, monitor_id, service, host, env,
          severity, state, would_merge_into, would_merge_why, opened_at, changed_at, settles_at,
          settled_at, is_split)
        values (:account, :eventId, :title, :monitorId, :service, :host, :env, :severity, 'open',
          :mergeInto, :mergeWhy, :openedAt, now(), :settlesAt, :settledAt, :isSplit)
        returning *
      ), logged as (
        insert into webhooks_incident_log (incident_id, kind, text)
        select id, 'opened', 'opened by ' || title from opened
      )
      select *, 0 as members, 0 as firing, 0 as occurrences from opened`,
      {
        ...incident,
        mergeInto: wouldMerge?.incidentId ?? null,
        mergeWhy: wouldMerge?.why ?? null,
        openedAt: date(incident.openedAt),
        settlesAt: settlesAt === null ? null : date(settlesAt),
        settledAt: settledAt === null ? null : date(settledAt)
      }
    )
    return incidentOf(rows[0])
  },

  /** Held until the transaction ends; undefined when it is not there. */
  async hold(trx: Knex.Transaction, id: number): Promise<Incident | undefined> {
    await trx('webhooks_incidents').where({ id }).forUpdate().first('id')
    return incidentStore.find(trx, id)
  },

  /** Changes what is given and counts the revision up; answers it. */
  async change(trx: Knex.Transaction, id: number, change: Change): Promise<number> {
    const time = (ms: number | null | undefined) => (typeof ms === 'number' ? date(ms) : ms)
    const columns = {
      state: change.state,
      severity: change.severity,
      event_id: change.eventId,
      settles_at: time(change.settlesAt),
      settled_at: time(change.settledAt),
      closed_at: time(change.closedAt),
      closed_by: change.closedBy,
      acknowledged_at: time(change.acknowledgedAt),
      acknowledged_by: change.acknowledgedBy,
      assigned_to: change.assignedTo,
      merged_into: change.mergedInto
    }
    const [row] = await trx('webhooks_incidents')
      .where({ id })
      .update({
        ...Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)),
        flaps: trx.raw('flaps + ?', [change.flapped ? 1 : 0]),
        revision: trx.raw('revision + 1'),
        changed_at: trx.fn.now()
      })
      .returning('revision')
    return Number(row?.revision)
  },

  async log(trx: Knex.Transaction, incidentId: number, { kind, by, text }: LogEntry) {
    // No database holds NUL or half a character.
    const words = text.replaceAll('\0', ' ').toWellFormed()
    await trx('webhooks_incident_log').insert({ incident_id: incidentId, kind, by, text: words })
  },

  /** What became of an incident, oldest first, at most 500. */
  async logOf(db: Knex, incidentId: number): Promise<(LogEntry & { readonly at: Date })[]> {
    return db('webhooks_incident_log')
      .where({ incident_id: incidentId })
      .orderBy('id')
      .limit(500)
      .select('at', 'kind', 'by', 'text')
  },

  async find(db: Knex, id: number): Promise<Incident | undefined> {
    const row = await summed(db).where('i.id', id).first()
    return row && incidentOf(row)
  },

  /** Newest first: by page, or everything before an id; those that were merged away are left out unless asked for. */
  async list(
    db: Knex,
    filter: IncidentFilter,
    page: { readonly limit: number; readonly offset: number; readonly before?: number }
  ): Promise<{ readonly incidents: Incident[]; readonly total: number }> {
    const all = db('webhooks_incidents as i').where(query => narrow(query, filter))
    const ids = all.clone().orderBy('i.id', 'desc').limit(page.limit)
    const found = await (
      page.before === undefined ? ids.offset(page.offset) : ids.where('i.id', '<', page.before)
    ).pluck('i.id')
    const rows = await summed(db).whereIn('i.id', found).orderBy('i.id', 'desc')
    const [count] = await all.count({ total: '*' })
    return { incidents: rows.map(incidentOf), total: Number(count?.['total']) }
  },

  /** The incidents of events, and the event that stands for each. */
  async ofEvents(
    db: Knex,
    eventIds: readonly number[]
  ): Promise<{ eventId: number; incidentId: number; standsFor: number }[]> {
    const { rows } = await db.raw(
      `select o.event_id::float8 as "eventId", i.id::float8 as "incidentId",
        i.event_id::float8 as "standsFor"
      from webhooks_occurrences o
      join webhooks_members m on m.id = o.member_id
      join webhooks_incidents i on i.id = m.incident_id
      where o.event_id = any (?)`,
      [[...eventIds]]
    )
    return rows
  },

  /** How many alerts that fire are told of by another one of their incident. */
  async repeated(db: Knex): Promise<number> {
    const { rows } = await db.raw(
      `select count(*)::int as count
      from webhooks_occurrences o
      join webhooks_events e on e.id = o.event_id and e.status not in ('ok', 'no_data')
      join webhooks_members m on m.id = o.member_id
      join webhooks_incidents i on i.id = m.incident_id and i.event_id <> o.event_id`
    )
    return rows[0].count
  },

  /** Forgets what deleted events were part of; an incident that is over goes with the last of them. */
  async forget(trx: Knex.Transaction, eventIds: readonly number[]): Promise<void> {
    const { rows } = await trx.raw(
      `with gone as (
        delete from webhooks_occurrences where event_id = any (?) returning member_id
      )
      select distinct m.incident_id as id from gone join webhooks_members m on m.id = gone.member_id`,
      [[...eventIds]]
    )
    await trx.raw(
      `delete from webhooks_incidents i
      where i.id = any (?) and i.state <> 'open' and not exists (
        select from webhooks_members m
        join webhooks_occurrences o on o.member_id = m.id
        where m.incident_id = i.id
      )`,
      [rows.map((row: { id: string }) => row.id)]
    )
  }
}

const summed = (db: Knex) =>
  db('webhooks_incidents as i')
    .joinRaw(
      `left join lateral (
        select count(*)::int as members, (count(*) filter (where firing))::int as firing,
          coalesce(sum(occurrences), 0)::int as occurrences
        from webhooks_members where incident_id = i.id
      ) m on true`
    )
    .select('i.*', 'm.members', 'm.firing', 'm.occurrences')

function narrow(query: Knex.QueryBuilder, filter: IncidentFilter): void {
  const { state, account, service, host, monitor, assigned_to: assignee } = filter
  if (state === undefined) query.whereNot('i.state', 'merged')
  else query.where('i.state', state)
  if (account !== undefined) query.where('i.account', account)
  if (assignee !== undefined) query.where('i.assigned_to', assignee)
  for (const [column, value] of [
    ['service', service],
    ['host', host],
    ['monitor_id', monitor]
  ] as const)
    if (value !== undefined)
      query.whereRaw(
        'exists (select from webhooks_members m where m.incident_id = i.id and m.?? = ?)',
        [column, value]
      )
}
