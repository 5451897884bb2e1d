import { RayneError, type Knex } from '../../../core/index.ts'
import type { NotebookRef } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import { rcaErrors, type AnalysisStatus, type Report } from '../contract.ts'

/** What whoever asked for an analysis wants otherwise. */
export interface AnalysisSettings {
  /** False when no notebook is wanted. */
  readonly notebook?: boolean
  readonly model?: string
  /** Words of the person who asks, for the model. */
  readonly instructions?: string
}

export interface Analysis {
  readonly id: string
  readonly number: number
  /** Null when no webhook told of it. */
  readonly eventId: number | null
  readonly requestedBy: string | null
  readonly rerunOf: string | null
  readonly settings: AnalysisSettings
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
    analysis: {
      eventId: number
      account: string | null
      /** What the hourly share is counted by. */
      monitor: string
      alert: Alert
      receivedAt: Date
      /** Why it is not to be run, or null. */
      skipped: string | null
    }
  ): Promise<string | undefined> {
    const [row] = await trx('rca_analyses')
      .insert({
        event_id: analysis.eventId,
        account: analysis.account,
        monitor: analysis.monitor,
        alert: JSON.stringify(analysis.alert),
        received_at: analysis.receivedAt,
        ...(analysis.skipped === null
          ? {}
          : { status: 'skipped', error: analysis.skipped, finished_at: new Date() })
      })
      .onConflict('event_id')
      .ignore()
      .returning('id')
    return row?.id
  },
  /** An analysis that a person or a program asked for. */
  async request(
    trx: Knex.Transaction,
    asked: Pick<Analysis, 'account' | 'alert' | 'receivedAt' | 'settings' | 'rerunOf'> & {
      readonly requestedBy: string
    }
  ): Promise<string> {
    const [row] = await trx('rca_analyses')
      .insert({
        account: asked.account,
        alert: storable(asked.alert),
        received_at: asked.receivedAt,
        requested_by: asked.requestedBy,
        settings: storable(asked.settings),
        rerun_of: asked.rerunOf
      })
      .returning('id')
    return row.id
  },
  /** How many analyses of a monitor were started in the last hour; those that open one wait for each other. */
  async startedWithinHour(trx: Knex.Transaction, monitor: string): Promise<number> {
    await trx.raw("select pg_advisory_xact_lock(hashtextextended('rca ' || ?, 0))", [monitor])
    const [row] = await trx('rca_analyses')
      .where({ monitor })
      .whereNot({ status: 'skipped' })
      .where('created_at', '>', trx.raw("now() - interval '1 hour'"))
      .count({ started: '*' })
    return Number(row?.['started'])
  },
  /** Undefined when it has ended for good: done, or cancelled. */
  async begin(trx: Knex.Transaction, id: string, attempt: number): Promise<Analysis | undefined> {
    const [row] = await trx('rca_analyses')
      .where({ id })
      .whereNotIn('status', ['done', 'cancelled'])
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
    const changed = await trx('rca_analyses')
      .where({ id, status: 'running' })
      .update({ report: storable(report), verdict: report.verdict })
    assertRunning(id, changed)
  },
  async finish(trx: Knex.Transaction, id: string, notebook: Analysis['notebook']): Promise<void> {
    const changed = await trx('rca_analyses')
      .where({ id, status: 'running' })
      .update({
        status: 'done',
        error: null,
        finished_at: new Date(),
        notebook: notebook && storable(notebook)
      })
    assertRunning(id, changed)
  },
  /** True when it had not ended. */
  async cancel(db: Knex, id: string, by: string): Promise<boolean> {
    const changed = await db('rca_analyses')
      .where({ id })
      .whereIn('status', ['pending', 'running'])
      .update({ status: 'cancelled', error: `cancelled by ${by}`, finished_at: new Date() })
    return changed > 0
  },
  async statusOf(db: Knex, id: string): Promise<AnalysisStatus | undefined> {
    return (await db('rca_analyses').where({ id }).first('status'))?.status
  },
  /** Ends an analysis that no attempt follows, unless one has begun after this one or it is done. */
  async fail(trx: Knex.Transaction, id: string, attempt: number, error: string): Promise<void> {
    await trx('rca_analyses')
      .where({ id, attempt })
      .whereNotIn('status', ['done', 'cancelled'])
      .update({ status: 'failed', error, finished_at: new Date() })
  },
  /** Notes why an attempt ended early; the job tries again. */
  async noteError(trx: Knex.Transaction, id: string, error: string): Promise<void> {
    await trx('rca_analyses').where({ id, status: 'running' }).update({ status: 'pending', error })
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
  /** Newest first, without the evidence rows. */
  async list(
    db: Knex,
    filter: AnalysisFilter,
    page: { readonly limit: number; readonly offset: number; readonly before?: number }
  ): Promise<{ analyses: Analysis[]; total: number }> {
    const all = filtered(db, filter)
    const rows = all
      .clone()
      .select(
        'id',
        'number',
        'event_id',
        'requested_by',
        'rerun_of',
        'settings',
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

/** Which analyses are meant; a missing field lets all through. */
export interface AnalysisFilter {
  readonly account?: string
  readonly monitor_id?: string
  readonly service?: string
  readonly status?: string
  readonly verdict?: string
  readonly from?: string
  readonly to?: string
}

function filtered(db: Knex, filter: AnalysisFilter) {
  const { account, monitor_id: monitor, service, status, verdict, from, to } = filter
  return db('rca_analyses').where(query => {
    if (account !== undefined) query.where({ account })
    if (status !== undefined) query.where({ status })
    if (verdict !== undefined) query.where({ verdict })
    if (monitor !== undefined) query.whereRaw(`alert ->> 'monitor_id' = ?`, [monitor])
    if (service !== undefined) query.whereRaw(`alert ->> 'service' = ?`, [service])
    if (from !== undefined) query.where('created_at', '>=', from)
    if (to !== undefined) query.where('created_at', '<=', to)
  })
}

function assertRunning(id: string, changed: number): void {
  if (changed === 0)
    throw new RayneError({
      code: rcaErrors['analysis-ended'],
      message: `analysis ${id} was cancelled while it ran`
    })
}

interface Row {
  id: string
  number: string
  event_id: string | null
  requested_by: string | null
  rerun_of: string | null
  settings: AnalysisSettings
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
  eventId: row.event_id === null ? null : Number(row.event_id),
  requestedBy: row.requested_by,
  rerunOf: row.rerun_of,
  settings: row.settings,
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
