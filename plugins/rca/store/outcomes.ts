import type { Knex } from '../../../core/index.ts'
import type { Feedback } from '../contract.ts'

/** What a person says, before it has a time. */
export type NewFeedback = Omit<Feedback, 'given_at'>

/** What became of an alert and of its notebook. */
export interface Lifecycle {
  readonly resolvedAt: Date | null
  readonly notebookResolvedAt: Date | null
}

/** A notebook and whether its alert is over, in the first version's words. */
export interface KnownNotebook {
  readonly monitorId: string | null
  readonly monitorName: string | null
  readonly notebookId: string
  readonly notebookUrl: string
  readonly createdAt: string
  readonly status: 'Active' | 'Resolved'
  readonly resolvedAt: string | null
}
interface NotebookRow {
  readonly monitor_id: string | null
  readonly name: string | null
  readonly notebook: { readonly id: string; readonly url: string }
  readonly created_at: Date
  readonly resolved_at: Date | null
}

const clean = (text: string | null): string | null =>
  // No database holds NUL or half a character.
  text === null ? null : text.replaceAll('\0', ' ').toWellFormed()

/** All SQL of what comes after an analysis: recoveries and what people say. */
export const outcomeStore = {
  /** Remembers when a monitor recovered last (epoch ms): an alert of before may still be on its way to be analysed. */
  async recovered(
    trx: Knex.Transaction,
    { account, monitorId, at }: { account: string | null; monitorId: string; at: number }
  ): Promise<void> {
    await trx.raw(
      `insert into rca_recoveries (account, monitor_id, at) values (?, ?, ?)
      on conflict (account, monitor_id) do update set at = greatest(rca_recoveries.at, excluded.at)`,
      [account ?? '', monitorId, new Date(at)]
    )
  },
  /** Resolves what a recovery came after: all of a monitor, or one analysis; returns those with a notebook. */
  async resolve(
    db: Knex,
    { monitorId, id }: { monitorId?: string; id?: string }
  ): Promise<string[]> {
    const { rows } = await db.raw(
      `update rca_analyses a set resolved_at = r.at
      from rca_recoveries r
      where a.resolved_at is null and r.account = coalesce(a.account, '')
        and r.monitor_id = a.alert ->> 'monitor_id'
        and coalesce((a.alert ->> 'at')::numeric, extract(epoch from a.received_at) * 1000)
          <= extract(epoch from r.at) * 1000
        and (a.alert ->> 'monitor_id' = ? or a.id = ?)
      returning a.id, a.notebook is not null as has_notebook`,
      [monitorId ?? null, id ?? null]
    )
    return rows.flatMap((row: { id: string; has_notebook: boolean }) =>
      row.has_notebook ? [row.id] : []
    )
  },
  async lifecycle(db: Knex, id: string): Promise<Lifecycle> {
    const row = await db('rca_analyses').where({ id }).first('resolved_at', 'notebook_resolved_at')
    return {
      resolvedAt: row?.resolved_at ?? null,
      notebookResolvedAt: row?.notebook_resolved_at ?? null
    }
  },
  /** What a report says of the time after it. */
  async afterwards(
    db: Knex,
    id: string
  ): Promise<{ resolvedAt: string | undefined; notes: string[] }> {
    const { resolvedAt } = await this.lifecycle(db, id)
    const said = await this.said(db, id)
    return {
      resolvedAt: resolvedAt?.toISOString(),
      notes: said.flatMap(({ note, cause }) => [
        ...(cause === null ? [] : [`It really was: ${cause}`]),
        ...(note === null ? [] : [note])
      ])
    }
  },
  async noteNotebook(trx: Knex.Transaction, id: string, name: string | undefined): Promise<void> {
    await trx('rca_analyses')
      .where({ id })
      .update({
        notebook_resolved_at: new Date(),
        ...(name === undefined
          ? {}
          : { notebook: trx.raw(`jsonb_set(notebook, '{name}', to_jsonb(?::text))`, [name]) })
      })
  },
  /** The newest notebook of each monitor. */
  async notebooks(db: Knex, limit: number): Promise<KnownNotebook[]> {
    const { rows } = await db.raw(
      `select * from (
        select distinct on (account, alert ->> 'monitor_id') number, created_at, resolved_at,
          alert ->> 'monitor_id' as monitor_id, alert ->> 'monitor_name' as name, notebook
        from rca_analyses where notebook is not null
        order by account, alert ->> 'monitor_id', number desc
      ) newest order by number desc limit ?`,
      [limit]
    )
    return rows.map((row: NotebookRow) => ({
      monitorId: row.monitor_id,
      monitorName: row.name,
      notebookId: row.notebook.id,
      notebookUrl: row.notebook.url,
      createdAt: row.created_at.toISOString(),
      status: row.resolved_at === null ? 'Active' : 'Resolved',
      resolvedAt: row.resolved_at?.toISOString() ?? null
    }))
  },
  async say(db: Knex, analysisId: string, said: NewFeedback): Promise<void> {
    const { judgement, cause, component, class: kind, note, given_by: by } = said
    await db('rca_feedback').insert({
      analysis_id: analysisId,
      judgement,
      cause: clean(cause),
      component: clean(component),
      class: clean(kind),
      note: clean(note),
      given_by: by
    })
  },
  /** All that was said of an analysis, oldest first; the newest judgement counts. */
  async said(db: Knex, analysisId: string): Promise<Feedback[]> {
    const rows = await db('rca_feedback')
      .where({ analysis_id: analysisId })
      .orderBy('id')
      .limit(200)
    return rows.map(row => ({
      judgement: row.judgement,
      cause: row.cause,
      component: row.component,
      class: row.class,
      note: row.note,
      given_by: row.given_by,
      given_at: row.given_at.toISOString()
    }))
  },
  /** How often reports were right, by verdict, of those that somebody judged. */
  async precision(
    db: Knex,
    account: string | undefined
  ): Promise<{ verdict: string; right: number; wrong: number }[]> {
    const { rows } = await db.raw(
      `select coalesce(a.verdict, 'none') as verdict,
        count(*) filter (where f.judgement = 'right')::int as right,
        count(*) filter (where f.judgement = 'wrong')::int as wrong
      from rca_analyses a
      join lateral (
        select judgement from rca_feedback
        where analysis_id = a.id and judgement is not null
        order by id desc limit 1
      ) f on true
      where ?::text is null or a.account = ?
      group by 1 order by 1`,
      [account ?? null, account ?? null]
    )
    return rows
  },
  async counts(
    db: Knex,
    account: string | undefined
  ): Promise<{ status: string; count: number; usd: number }[]> {
    const { rows } = await db.raw(
      `select status, count(*)::int as count,
        coalesce(sum((report #>> '{investigation,cost_usd}')::numeric), 0)::float8 as usd
      from rca_analyses
      where ?::text is null or account = ?
      group by 1 order by 1`,
      [account ?? null, account ?? null]
    )
    return rows
  }
}
