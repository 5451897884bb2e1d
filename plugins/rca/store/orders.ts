import type { Knex } from '../../../core/index.ts'

/** All SQL of what people tell a running analysis. */
export const orderStore = {
  async give(db: Knex, analysisId: string, text: string, by: string): Promise<void> {
    // No database holds NUL or half a character.
    const clean = text.replaceAll('\0', ' ').toWellFormed()
    await db('rca_orders').insert({ analysis_id: analysisId, text: clean, given_by: by })
  },
  /** What was told and not taken yet, oldest first; each is handed out once. */
  async take(db: Knex, analysisId: string): Promise<string[]> {
    const rows: { id: string; text: string }[] = await db('rca_orders')
      .where({ analysis_id: analysisId, taken_at: null })
      .update({ taken_at: new Date() })
      .returning(['id', 'text'])
    return rows.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ text }) => text)
  }
}
