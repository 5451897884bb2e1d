import { epochMs, type EpochMs, type Knex } from '../../core/index.ts'
import type { MadeAlert } from './service/make-alerts.ts'

const keepMs = 6 * 3_600_000
const onsetAgoMs = 20 * 60_000

/** The onset of the incident to simulate: the last one while it is recent, else a new one twenty minutes ago. */
export async function currentIncident(db: Knex, scenario: string, now: number): Promise<{ id: string; onset: EpochMs }> {
  return db.transaction(async trx => {
    await trx.raw("select pg_advisory_xact_lock(hashtext('demo_incidents'))")
    const last = await trx('demo_incidents').where({ scenario }).where('onset', '>', new Date(now - keepMs)).orderBy('id', 'desc').first('id', 'onset')
    if (last) return { id: String(last.id), onset: epochMs(last.onset.getTime()) }
    const onset = new Date(Math.floor((now - onsetAgoMs) / 60_000) * 60_000)
    const [made] = await trx('demo_incidents').insert({ scenario, onset }).returning('id')
    return { id: String(made.id), onset: epochMs(onset.getTime()) }
  })
}

// The table belongs to the webhooks plugin, whose service stamps its own times and has every alert analysed; demo rows want neither.
const events = 'webhooks_events'
const headers = JSON.stringify({ 'user-agent': 'rayne-demo' })

/** Stores made-up webhooks at their own times; those that are there already stay as they are. Returns how many are new. */
export async function seedAlerts(db: Knex, made: readonly MadeAlert[], now: number): Promise<number> {
  const rows = made.map(({ key, agoMs, body, alert }) => {
    const raw = Buffer.from(JSON.stringify(body))
    return { dedupe_key: key, account: null, received_at: new Date(now - agoMs), raw, headers, fields: JSON.stringify(body), alert: JSON.stringify(alert) }
  })
  const inserted = await db(events).insert(rows).onConflict('dedupe_key').ignore().returning('id')
  return inserted.length
}

/** Counts of received webhooks. */
export interface EventCounts { readonly total: number; readonly lastDay: number; readonly byAlertStatus: Readonly<Record<string, number>>; /** The newest alerts that want an analysis. */ readonly waiting: readonly number[]; readonly settled: number }

/** Counts of received webhooks; which of them are analysed is for the plugin that analyses to say. */
export async function countEvents(db: Knex, limit: number): Promise<EventCounts> {
  const wants = "(alert->>'firing')::boolean and alert->>'status' not in ('ok', 'no_data')"
  const byStatus = await db(events).select(db.raw("alert->>'status' as alert_status")).count({ n: '*' }).groupByRaw("alert->>'status'")
  const [sums] = await db(events).select(db.raw(`count(*) as total, count(*) filter (where received_at > now() - interval '24 hours') as last_day, count(*) filter (where not (${wants})) as settled`))
  const waiting = await db(events).whereRaw(wants).orderBy('id', 'desc').limit(limit).pluck('id')
  const { total, last_day: lastDay, settled } = sums as unknown as Record<string, string>
  return { total: Number(total), lastDay: Number(lastDay), settled: Number(settled), byAlertStatus: Object.fromEntries((byStatus as unknown as { alert_status: string; n: string }[]).map(row => [row.alert_status, Number(row.n)])), waiting: waiting.map(Number) }
}
