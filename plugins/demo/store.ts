import { epochMs, type EpochMs, type Knex } from '../../core/index.ts'

const keepMs = 6 * 3_600_000
const onsetAgoMs = 20 * 60_000

/** The onset of the incident to simulate: the last one while it is recent, else a new one twenty minutes ago. */
export async function currentIncident(
  db: Knex,
  scenario: string,
  now: number
): Promise<{ id: string; onset: EpochMs }> {
  return db.transaction(async trx => {
    await trx.raw("select pg_advisory_xact_lock(hashtext('demo_incidents'))")
    const last = await trx('demo_incidents')
      .where({ scenario })
      .where('onset', '>', new Date(now - keepMs))
      .orderBy('id', 'desc')
      .first('id', 'onset')
    if (last) return { id: String(last.id), onset: epochMs(last.onset.getTime()) }
    const onset = new Date(Math.floor((now - onsetAgoMs) / 60_000) * 60_000)
    const [made] = await trx('demo_incidents').insert({ scenario, onset }).returning('id')
    return { id: String(made.id), onset: epochMs(onset.getTime()) }
  })
}
