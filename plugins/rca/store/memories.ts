import type { Knex } from '../../../core/index.ts'
import type { PastIncident } from '../service/engine/recall.ts'

/** A past incident as it is shown beside a new one. */
export interface Memory extends PastIncident {
  readonly name: string
  readonly at: Date
}

/** An incident that may get a vector, and where its last one is. */
export interface Unplaced {
  readonly id: string
  /** Grows with every analysis. */
  readonly number: string
  readonly account: string | null
  readonly signs: readonly string[]
  /** Store and collection. */
  readonly place: string | null
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
   * times there is the newest. `near` are there however old they are.
   */
  async ofAccount(
    db: Knex,
    account: string | null,
    besides: string,
    near: readonly string[] = []
  ): Promise<Memory[]> {
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
          and (id = any(:near::uuid[]) or id in (
            select id from rca_analyses
            where signs is not null and status = 'done' and account is not distinct from :account
            order by number desc limit :most))
      ) a
      left join lateral (
        select cause, judgement from rca_feedback
        where analysis_id = a.id and (cause is not null or judgement is not null)
        order by id desc limit 1
      ) f on true
      order by coalesce(a.rerun_of, a.id), a.number desc`,
      { besides, account, near: [...near], most: mostMemories + 1 }
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
  },
  /** Incidents whose vector is not in a place, newest first, below the number `after`. */
  async notIn(db: Knex, place: string, after: string | null, most: number): Promise<Unplaced[]> {
    return incidents(db)
      .whereRaw('embedded_in is distinct from ?', [place])
      .where(query => {
        if (after !== null) query.where('number', '<', after)
      })
      .orderBy('number', 'desc')
      .limit(most)
  },
  /** The incidents of these ids, with where their vectors are. */
  async placeOf(db: Knex, ids: readonly string[]): Promise<Unplaced[]> {
    return incidents(db).whereIn('id', [...ids])
  },
  /** Whether some incident's vector is in no place that begins so. */
  async isOutside(db: Knex, beginning: string): Promise<boolean> {
    const row = await incidents(db)
      .whereRaw(`not starts_with(coalesce(embedded_in, ''), ?)`, [beginning])
      .first('id')
    return row !== undefined
  },
  /** Notes where vectors are; answers which incidents there still are. */
  async placed(db: Knex, ids: readonly string[], place: string): Promise<string[]> {
    const rows = await db('rca_analyses')
      .whereIn('id', [...ids])
      .update({ embedded_in: place })
      .returning('id')
    return rows.map(({ id }) => id)
  },
  /** Forgets that vectors are in a place, because it was lost. */
  async displace(db: Knex, place: string): Promise<void> {
    await db('rca_analyses').where({ embedded_in: place }).update({ embedded_in: null })
  }
}

const incidents = (db: Knex) =>
  db('rca_analyses')
    .whereNotNull('signs')
    .select('id', 'number', 'account', 'signs', 'embedded_in as place')
