import type { Knex } from '../../core/index.ts'
import type { NotebookRef } from '../datadog-proxy/contract.ts'
import type { Alert } from '../webhooks/contract.ts'
import type { AnalysisStatus, Report } from './contract.ts'

export interface Analysis {
  readonly id: string
  readonly number: number
  readonly eventId: number
  readonly account: string | null
  readonly alert: Alert
  readonly receivedAt: Date
  readonly status: AnalysisStatus
  readonly attempt: number
  readonly report: Report | null
  readonly notebook: (NotebookRef & { readonly simulated: boolean }) | null
  readonly error: string | null
  readonly createdAt: Date
  readonly finishedAt: Date | null
}

/** JSON that PostgreSQL takes: Datadog's texts may hold NUL and half characters, which `jsonb` refuses. */
const storable = (value: unknown): string =>
  JSON.stringify(value).replace(/\\(?:u[0-9a-f]{4}|.)/g, each =>
    /^\\u(?:0000|d[89a-f]..)$/.test(each) ? '\\ufffd' : each
  )

/** All SQL of analyses. */
export const analysisStore = {
  /** Undefined when the event already has an analysis. */
  async create(
    trx: Knex.Transaction,
    analysis: { eventId: number; account: string | null; alert: Alert; receivedAt: Date }
  ): Promise<string | undefined> {
    const [row] = await trx('rca_analyses')
      .insert({
        event_id: analysis.eventId,
        account: analysis.account,
        alert: JSON.stringify(analysis.alert),
        received_at: analysis.receivedAt
      })
      .onConflict('event_id')
      .ignore()
      .returning('id')
    return row?.id
  },
  async begin(trx: Knex.Transaction, id: string, attempt: number): Promise<Analysis | undefined> {
    const [row] = await trx('rca_analyses')
      .where({ id })
      .whereNot({ status: 'done' })
      .update({
        status: 'running',
        attempt,
        started_at: trx.raw('coalesce(started_at, now())'),
        error: null,
        finished_at: null
      })
      .returning('*')
    return row && analysisOf(row)
  },
  async saveReport(trx: Knex.Transaction, id: string, report: Report): Promise<void> {
    await trx('rca_analyses')
      .where({ id })
      .update({ report: storable(report) })
  },
  async finish(
    trx: Knex.Transaction,
    id: string,
    notebook: NonNullable<Analysis['notebook']>
  ): Promise<void> {
    await trx('rca_analyses')
      .where({ id })
      .update({
        status: 'done',
        error: null,
        finished_at: new Date(),
        notebook: storable(notebook)
      })
  },
  /** Ends an analysis that no attempt follows, unless one has begun after this one or it is done. */
  async fail(trx: Knex.Transaction, id: string, attempt: number, error: string): Promise<void> {
    await trx('rca_analyses')
      .where({ id, attempt })
      .whereNot({ status: 'done' })
      .update({ status: 'failed', error, finished_at: new Date() })
  },
  /** Notes why an attempt ended early; the job tries again. */
  async noteError(trx: Knex.Transaction, id: string, error: string): Promise<void> {
    await trx('rca_analyses').where({ id }).update({ status: 'pending', error })
  },
  /** US dollars that investigations of one account have cost since midnight UTC. */
  async spentToday(db: Knex, account: string | null): Promise<number> {
    const [row] = await db('rca_analyses')
      .where(
        'created_at',
        '>=',
        db.raw(`date_trunc('day', now() at time zone 'utc') at time zone 'utc'`)
      )
      .whereRaw('account is not distinct from ?', [account])
      .select(
        db.raw(`coalesce(sum((report #>> '{investigation,cost_usd}')::numeric), 0)::float8 as usd`)
      )
    return row.usd
  },
  async find(db: Knex, id: string): Promise<Analysis | undefined> {
    const row = await db('rca_analyses').where({ id }).first()
    return row && analysisOf(row)
  },
  async ofEvents(
    db: Knex,
    eventIds: readonly number[]
  ): Promise<Pick<Analysis, 'id' | 'eventId' | 'status' | 'error' | 'notebook'>[]> {
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
  /** Newest first, without the evidence rows. */
  async list(
    db: Knex,
    page: {
      readonly limit: number
      readonly offset: number
      readonly before?: number
      readonly status?: string
    }
  ): Promise<{ analyses: Analysis[]; total: number }> {
    const all = db('rca_analyses').where(q => {
      if (page.status) q.where({ status: page.status })
    })
    const rows = all
      .clone()
      .select(
        'id',
        'number',
        'event_id',
        'account',
        'alert',
        'received_at',
        'status',
        'attempt',
        'notebook',
        'error',
        'created_at',
        'finished_at',
        db.raw("report - 'evidence' as report")
      )
      .orderBy('number', 'desc')
      .limit(page.limit)
    const found = await (page.before === undefined
      ? rows.offset(page.offset)
      : rows.where('number', '<', page.before))
    const [count] = await all.count({ total: '*' })
    return { analyses: found.map(analysisOf), total: Number(count?.['total'] ?? 0) }
  }
}

interface Row {
  id: string
  number: string
  event_id: string
  account: string | null
  alert: Alert
  received_at: Date
  status: AnalysisStatus
  attempt: number
  report: Report | null
  notebook: Analysis['notebook']
  error: string | null
  created_at: Date
  finished_at: Date | null
}

const analysisOf = (row: Row): Analysis => ({
  id: row.id,
  number: Number(row.number),
  eventId: Number(row.event_id),
  account: row.account,
  alert: row.alert,
  receivedAt: row.received_at,
  status: row.status,
  attempt: row.attempt,
  report: row.report,
  notebook: row.notebook,
  error: row.error,
  createdAt: row.created_at,
  finishedAt: row.finished_at
})
