import type { Knex } from '../../../core/index.ts'
import { withinList } from './patience.ts'

/** What there is, counted. */
export const countedColumns = [
  'sessions',
  'active',
  'ended',
  'hung',
  'crashed',
  'suspended',
  'events',
  'metrics',
  'states'
] as const
export type Totals = Record<(typeof countedColumns)[number], number>

export interface ProductRow {
  readonly product: string
  readonly versions: string[]
  readonly sessions: number
  readonly active: number
  readonly hung: number
  readonly crashed: number
}
export interface MachineRow {
  readonly machineId: string
  readonly hostname: string | null
  readonly sessions: number
  readonly active: number
  readonly lastSeenAt: number
}
export interface MetricRow {
  readonly name: string
  readonly type: string
  readonly unit: string | null
  readonly sessions: number
  readonly points: number
}

const totalsSql = `
  select count(*) as sessions,
    count(*) filter (where active) as active,
    count(*) filter (where not active) as ended,
    count(*) filter (where active and condition = 'hung') as hung,
    count(*) filter (where active and condition = 'crashed') as crashed,
    count(*) filter (where active and condition = 'suspended') as suspended,
    coalesce(sum(events), 0) as events,
    coalesce(sum(points), 0) as metrics,
    coalesce(sum(states), 0) as states
  from datacat_sessions`
const productsSql = `
  select product,
    coalesce(
      array_agg(distinct version) filter (where version is not null),
      array[]::text[]
    ) as versions,
    count(*)::int as sessions,
    (count(*) filter (where active))::int as active,
    (count(*) filter (where ever_hung))::int as hung,
    (count(*) filter (where condition = 'crashed'))::int as crashed
  from datacat_sessions
  where product is not null
  group by product
  order by product
  limit ?`
const machinesSql = `
  select machine_id,
    max(hostname) as hostname,
    count(*)::int as sessions,
    (count(*) filter (where active))::int as active,
    max(updated_at) as last_seen_at
  from datacat_sessions
  where machine_id is not null
  group by machine_id
  order by machine_id
  limit ?`
const metricsSql = `
  select name,
    max(kind) as type,
    unit,
    count(distinct session_key)::int as sessions,
    sum(points) as points
  from datacat_series r
  where points > 0
    and exists (select from datacat_sessions s where s.key = r.session_key)
  group by name, unit
  order by name, unit nulls first
  limit ?`

/** SQL that counts over all sessions. */
export const totalsStore = {
  async totals(db: Knex): Promise<Totals> {
    const { rows } = await withinList(db.raw<{ rows: Record<keyof Totals, string>[] }>(totalsSql))
    const [row] = rows
    if (!row) throw new Error('a query without grouping answered no row')
    const count = (name: keyof Totals): number => Number(row[name])
    return {
      sessions: count('sessions'),
      active: count('active'),
      ended: count('ended'),
      hung: count('hung'),
      crashed: count('crashed'),
      suspended: count('suspended'),
      events: count('events'),
      metrics: count('metrics'),
      states: count('states')
    }
  },

  async products(db: Knex, limit: number): Promise<ProductRow[]> {
    return (await withinList(db.raw<{ rows: ProductRow[] }>(productsSql, [limit]))).rows
  },

  async machines(db: Knex, limit: number): Promise<MachineRow[]> {
    const { rows } = await withinList(db.raw<{ rows: RawMachine[] }>(machinesSql, [limit]))
    return rows.map(({ machine_id, hostname, sessions, active, last_seen_at }) => ({
      machineId: machine_id,
      hostname,
      sessions,
      active,
      lastSeenAt: Number(last_seen_at)
    }))
  },

  async metrics(db: Knex, limit: number): Promise<MetricRow[]> {
    const { rows } = await withinList(db.raw<{ rows: RawMetric[] }>(metricsSql, [limit]))
    return rows.map(row => ({ ...row, points: Number(row.points) }))
  }
}

interface RawMachine {
  readonly machine_id: string
  readonly hostname: string | null
  readonly sessions: number
  readonly active: number
  readonly last_seen_at: string
}
type RawMetric = Omit<MetricRow, 'points'> & { readonly points: string }
