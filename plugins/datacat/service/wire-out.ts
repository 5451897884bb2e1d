import type { EventRow } from '../store/events.ts'
import type { MetricRow, PointRow } from '../store/points.ts'
import type { SessionRow } from '../store/sessions.ts'
import type { StateRow } from '../store/states.ts'
import { iso, saidOf } from '../wire/time.ts'
import type { Detailed } from './sessions.ts'

const statusOf = (session: SessionRow): string =>
  !session.active ? 'ended' : session.condition === 'ok' ? 'active' : session.condition

/** A session without what was written to it; `lastBeat` is epoch milliseconds. */
export const summaryOf = (session: SessionRow, lastBeat: number | null) => ({
  id: session.id,
  created_at: iso(session.createdAt),
  updated_at: iso(session.updatedAt),
  ended_at: session.endedAt === null ? null : iso(session.endedAt),
  active: session.active,
  status: statusOf(session),
  product: session.product,
  version: session.version,
  machine_id: session.machineId,
  hostname: session.hostname,
  event_count: session.events,
  metric_count: session.points,
  state_count: session.states,
  last_heartbeat_at: lastBeat === null ? null : iso(lastBeat),
  ...saidOf(session.said)
})

const parsed = (text: string | null): { readonly type?: string } =>
  text === null ? {} : (JSON.parse(text) as object)

/** `extra` holds the fields that most events and points do not have. */
export const eventOut = (row: EventRow) => ({
  n: row.n,
  timestamp: iso(row.at),
  received_at: iso(row.receivedAt),
  name: row.name,
  level: row.level,
  data: JSON.parse(row.data) as Record<string, unknown> | null,
  ...parsed(row.extra)
})
export const pointOut = (row: PointRow, name: string) => ({
  n: row.ordinal,
  timestamp: iso(row.at),
  name,
  value: row.value,
  ...(row.tags === null ? {} : { tags: JSON.parse(row.tags) as string[] }),
  ...parsed(row.extra)
})
export const stateOut = (row: StateRow) => ({
  n: row.n,
  timestamp: iso(row.at),
  ...saidOf(row.said),
  patch: JSON.parse(row.patch) as Record<string, unknown>
})

const metricOut = (one: MetricRow) => ({
  name: one.name,
  type: one.kind,
  unit: one.unit,
  points: one.points,
  minimum: one.minimum,
  maximum: one.maximum,
  // Points that stand for no sample have no mean: an idle histogram says so of itself.
  mean: one.weight > 0 ? one.total / one.weight : one.last,
  last: one.last,
  first_at: iso(one.firstAt),
  last_at: iso(one.lastAt)
})
/** A session with its state, its watch and its metrics. */
export const detailOut = ({ session, state, heartbeat, metrics }: Detailed) => ({
  ...summaryOf(session, heartbeat?.lastAt ?? null),
  state: JSON.parse(state) as Record<string, unknown>,
  metrics: metrics.map(metricOut),
  heartbeat: heartbeat
    ? {
        hung_after_seconds: heartbeat.hungAfterMs / 1000,
        crashed_after_seconds: heartbeat.crashedAfterMs / 1000
      }
    : null
})
