import type { Knex } from '../../../core/index.ts'
import type { PastIncident } from '../service/engine/recall.ts'

/** A past incident as it is shown beside a new one. */
export interface Memory extends PastIncident {
  readonly name: string
  readonly at: Date
}

const mostMemories = 1_000

/** All SQL of what analyses remember of each other. */
export const memoryStore = {
  async remember(trx: Knex, analysisId: string, signs: readonly string[]): Promise<void> {
    const clean = signs.map(sign => sign.replaceAll('\0', ' ').toWellFormed())
    await trx('rca_analyses').where({ id: analysisId }).update({ signs: clean })
  },
  async signsOf(db: Knex, analysisId: string): Promise<string[] | null> {
    return (await db('rca_analyses').where({ id: analysisId }).first('signs'))?.signs ?? null
  },
  /**
   * The newest incidents of one account that ended before this analysis, each with the cause that a person confirmed
   * last: the one given in words, or the report's own when it was called right. Of an alert that was analysed several
   * times there is the newest.
   */
  async ofAccount(db: Knex, account: string | null, besides: string): Promise<Memory[]> {
    const { rows } = await db.raw(
      `select distinct on (coalesce(a.rerun_of, a.id)) a.id, a.signs, a.received_at,
        coalesce(a.alert ->> 'monitor_name', a.alert ->> 'title', '') as name,
        case
          when f.cause is not null then f.cause
          when f.judgement = 'right' then nullif(concat_ws(' at ', a.report ->> 'class', a.report ->> 'component'), '')
        end as cause
      from (
        select * from rca_analyses
        where signs is not null and status = 'done' and id <> :besides
          and account is not distinct from :account
          and coalesce(rerun_of, id) <> coalesce(
            (select rerun_of from rca_analyses where id = :besides), :besides)
        order by number desc limit :most
      ) a
      left join lateral (
        select cause, judgement from rca_feedback
        where analysis_id = a.id and (cause is not null or judgement is not null)
        order by id desc limit 1
      ) f on true
      order by coalesce(a.rerun_of, a.id), a.number desc`,
      { besides, account, most: mostMemories }
    )
    return rows.map(
      (row: {
        id: string
        signs: string[]
        received_at: Date
        name: string
        cause: string | null
      }) => ({
        id: row.id,
        tokens: row.signs,
        name: row.name,
        at: row.received_at,
        ...(row.cause === null ? {} : { cause: row.cause })
      })
    )
  }
}
