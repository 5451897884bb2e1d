import knex, { type Knex } from 'knex'
import { errorCode } from '../errors.ts'
import type { ProbeResult } from '../health.ts'

/** How to reach PostgreSQL; both the query builder and the job queue open their own pools from it. */
export type Connection =
  | { readonly connectionString: string }
  | {
      readonly host: string
      readonly port: number
      readonly user: string
      readonly password?: string
      readonly database: string
      readonly ssl?: false
    }

// What knex would print past the redaction, at every try, also reaches whoever asked, as an error.
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} }

/** The query builder over one pool; a request waits at most 5 s for a connection. */
export const openDatabase = (connection: Connection, maxConnections = 12): Knex =>
  knex({
    client: 'pg',
    connection: { ...connection, application_name: 'rayne' } as Knex.PgConnectionConfig,
    log: silent,
    pool: { min: 0, max: maxConnections },
    acquireConnectionTimeout: 5_000
  })

const downCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08000',
  '08003',
  '08006',
  '08001'
])

/** Whether an error says that the database is away, restarting or out of connections: worth a retry, not a bug. */
export function isDatabaseDown(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const isQuery =
    error.name === 'KnexTimeoutError' ||
    /Connection (terminated|ended)|connection timeout|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|the database system is|not currently accepting connections/i.test(
      error.message
    )
  return isQuery || downCodes.has(errorCode(error) ?? '')
}

/** A database that answers and takes no writes would lose webhooks as surely as one that is away. */
export async function takesWrites(db: Knex): Promise<ProbeResult> {
  const {
    rows: [row]
  } = await db.raw("select current_setting('transaction_read_only') = 'off' as ok")
  return row.ok
    ? { ok: true, detail: 'answers and takes writes' }
    : { ok: false, detail: 'answers and is read-only', fix: 'point DATABASE_URL at the primary' }
}
