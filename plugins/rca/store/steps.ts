import type { Knex } from '../../../core/index.ts'
import type { Step } from '../contract.ts'

/** What an attempt did, before it has a number. */
export type NewStep = Pick<Step, 'kind' | 'text'> & { readonly at: Date }

/** All SQL of the steps of analyses. */
export const stepStore = {
  async add(
    db: Knex,
    analysisId: string,
    attempt: number,
    steps: readonly NewStep[]
  ): Promise<void> {
    await db('rca_steps').insert(
      steps.map(({ at, kind, text }) => ({ analysis_id: analysisId, attempt, at, kind, text }))
    )
  },
  /** Those after the step of that number, oldest first. */
  async after(db: Knex, analysisId: string, number: number, limit: number): Promise<Step[]> {
    const rows: {
      id: string
      attempt: number
      at: Date
      kind: Step['kind']
      text: string
    }[] = await db('rca_steps')
      .where({ analysis_id: analysisId })
      .where('id', '>', number)
      .orderBy('id')
      .limit(limit)
    return rows.map(({ id, attempt, at, kind, text }) => ({
      number: Number(id),
      attempt,
      at: at.toISOString(),
      kind,
      text
    }))
  }
}
