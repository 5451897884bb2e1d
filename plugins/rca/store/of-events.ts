import type { Knex } from '../../../core/index.ts'
import type { AnalysisStatus } from '../contract.ts'
import type { Placed } from '../service/vectors/place-vectors.ts'
import type { Analysis } from './analyses.ts'

/** The SQL of what became of events. */
export const ofEventsStore = {
  async of(
    db: Knex,
    eventIds: readonly number[]
  ): Promise<
    (Pick<Analysis, 'id' | 'status' | 'error' | 'notebook'> & { readonly eventId: number })[]
  > {
    const rows = await db('rca_analyses')
      .whereIn('event_id', [...eventIds])
      .select('id', 'event_id', 'status', 'error', 'notebook')
    return rows.map(row => ({
      id: row.id,
      eventId: Number(row.event_id),
      status: row.status,
      error: row.error,
      notebook: row.notebook
    }))
  },
  /** Deletes the analyses of these events; answers which there were, and where their vectors are. */
  remove: (db: Knex, eventIds: readonly number[]): Promise<Placed[]> =>
    db('rca_analyses')
      .whereIn('event_id', eventIds)
      .delete()
      .returning(['id', 'embedded_in as place']),
  /** How many events have an analysis of each status. */
  async counts(db: Knex): Promise<ReadonlyMap<AnalysisStatus, number>> {
    const rows = await db('rca_analyses')
      .whereNotNull('event_id')
      .groupBy('status')
      .select('status', db.raw('count(*)::int as total'))
    return new Map(rows.map(row => [row.status, row.total]))
  }
}
