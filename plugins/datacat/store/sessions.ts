import type { Knex } from '../../../core/index.ts'
import { plainArray, textArray } from './arrays.ts'
import { stateBaseColumns, stateBaseOf, type RawStateBase, type StateBase } from './states.ts'

/** `ok` until a heartbeat is missed; `recovered` until the next miss. */
export type Condition = 'ok' | 'hung' | 'crashed' | 'suspended' | 'recovered'
/** One session as it is stored; times are epoch milliseconds. */
export interface SessionRow {
  readonly key: number
  readonly id: string
  readonly createdAt: number
  readonly said: number | null
  readonly updatedAt: number
  readonly endedAt: number | null
  readonly active: boolean
  readonly condition: Condition
  readonly everHung: boolean
  readonly points: number
  readonly events: number
  readonly states: number
  readonly product: string | null
  readonly version: string | null
  readonly machineId: string | null
  readonly hostname: string | null
}
export interface NewSession {
  readonly id: string
  readonly createdAt: number
  /** What a client with a wrong clock said instead of `createdAt`. */
  readonly said: number | null
  readonly product: string | null
  readonly version: string | null
  readonly machineId: string | null
  readonly hostname: string | null
}

export const sessionColumns = [
  'key',
  'id',
  'created_at',
  'said_at',
  'updated_at',
  'ended_at',
  'active',
  'condition',
  'ever_hung',
  'points',
  'events',
  'states',
  'product',
  'version',
  'machine_id',
  'hostname'
] as const

export interface RawSession {
  key: string
  id: string
  created_at: string
  said_at: string | null
  updated_at: string
  ended_at: string | null
  active: boolean
  condition: Condition
  ever_hung: boolean
  points: string
  events: string
  states: string
  product: string | null
  version: string | null
  machine_id: string | null
  hostname: string | null
}
export const sessionOf = (row: RawSession): SessionRow => ({
  key: Number(row.key),
  id: row.id,
  createdAt: Number(row.created_at),
  said: row.said_at === null ? null : Number(row.said_at),
  updatedAt: Number(row.updated_at),
  endedAt: row.ended_at === null ? null : Number(row.ended_at),
  active: row.active,
  condition: row.condition,
  everHung: row.ever_hung,
  points: Number(row.points),
  events: Number(row.events),
  states: Number(row.states),
  product: row.product,
  version: row.version,
  machineId: row.machine_id,
  hostname: row.hostname
})

/** All SQL that makes, finds, ends and removes sessions. */
export const sessionStore = {
  /** Inserts sessions; answers the keys of those that are new, by id. */
  async insert(
    db: Knex,
    sessions: readonly NewSession[],
    now: number
  ): Promise<ReadonlyMap<string, number>> {
    const { rows } = await db.raw(
      `insert into datacat_sessions
        (id, created_at, said_at, updated_at, product, version, machine_id, hostname)
      select id, created_at, said, ?, product, version, machine_id, hostname
      from unnest(
        ?::uuid[], ?::bigint[], ?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[]
      ) as s(id, created_at, said, product, version, machine_id, hostname)
      on conflict (id) do nothing
      returning key, id`,
      [
        now,
        plainArray(sessions.map(one => one.id)),
        plainArray(sessions.map(one => one.createdAt)),
        plainArray(sessions.map(one => one.said)),
        textArray(sessions.map(one => one.product)),
        textArray(sessions.map(one => one.version)),
        textArray(sessions.map(one => one.machineId)),
        textArray(sessions.map(one => one.hostname))
      ]
    )
    return new Map((rows as { key: string; id: string }[]).map(row => [row.id, Number(row.key)]))
  },

  async find(db: Knex, id: string): Promise<SessionRow | undefined> {
    const row = await db('datacat_sessions')
      .where({ id })
      .first(...sessionColumns)
    return row && sessionOf(row as RawSession)
  },

  /** Sessions and their current states, as of one moment, by id. */
  async withStates(
    db: Knex,
    ids: readonly string[]
  ): Promise<ReadonlyMap<string, { readonly session: SessionRow; readonly base: StateBase }>> {
    const { rows } = await db
      .raw(
        `select ${sessionColumns.map(name => `s.${name}`).join(', ')}, ${stateBaseColumns}
        from datacat_sessions s
        left join datacat_current_states c on c.session_key = s.key
        where s.id = any(?::uuid[])`,
        [plainArray(ids)]
      )
      .options({ name: 'datacat_sessions_with_states' })
    return new Map(
      (rows as (RawSession & RawStateBase)[]).map(row => [
        row.id,
        { session: sessionOf(row), base: stateBaseOf(row) }
      ])
    )
  },

  /** Locks sessions in the order every writer takes them, and answers them by id. */
  async lock(
    trx: Knex.Transaction,
    ids: readonly string[]
  ): Promise<ReadonlyMap<string, SessionRow>> {
    const rows = (await trx('datacat_sessions')
      .whereIn('id', [...ids])
      .orderBy('id')
      .forUpdate()
      .select(...sessionColumns)) as RawSession[]
    return new Map(rows.map(row => [row.id, sessionOf(row)]))
  },

  async end(trx: Knex.Transaction, key: number, at: number): Promise<void> {
    await trx('datacat_sessions')
      .where({ key })
      .update({ active: false, ended_at: at, updated_at: trx.raw('greatest(updated_at, ?)', [at]) })
    await trx('datacat_heartbeats').where({ session_key: key }).delete()
  },

  /** Ids of suspended sessions of a product on a machine. */
  async suspendedOn(
    trx: Knex.Transaction,
    of: { readonly machineId: string; readonly product: string | null; readonly except: string }
  ): Promise<string[]> {
    return trx('datacat_sessions')
      .where({ machine_id: of.machineId, condition: 'suspended', active: true })
      .whereRaw('product is not distinct from ?', [of.product])
      .whereNot({ id: of.except })
      .pluck('id')
  },

  async setCondition(trx: Knex.Transaction, key: number, condition: Condition): Promise<void> {
    await trx('datacat_sessions')
      .where({ key })
      .update({ condition, ...(condition === 'hung' ? { ever_hung: true } : {}) })
  },

  /** Remembers batches by their key; answers which of them are new. */
  async claimBatches(
    trx: Knex.Transaction,
    batches: readonly {
      readonly session: number
      readonly key: string
      readonly accepted: number
    }[],
    now: number
  ): Promise<ReadonlySet<string>> {
    const { rows } = await trx.raw(
      `insert into datacat_batches (session_key, key, received_at, accepted)
      select session, key, ?, accepted
      from unnest(?::bigint[], ?::text[], ?::int[]) as b(session, key, accepted)
      order by session, key
      on conflict do nothing
      returning session_key, key`,
      [
        now,
        plainArray(batches.map(one => one.session)),
        textArray(batches.map(one => one.key)),
        plainArray(batches.map(one => one.accepted))
      ]
    )
    return new Set(
      (rows as { session_key: string; key: string }[]).map(row => `${row.session_key} ${row.key}`)
    )
  },

  /** Forgets keys whose batches were not stored after all. */
  async unclaimBatches(
    trx: Knex.Transaction,
    batches: readonly { readonly session: number; readonly key: string }[]
  ): Promise<void> {
    if (batches.length === 0) return
    await trx.raw(
      `delete from datacat_batches b
      using unnest(?::bigint[], ?::text[]) as u(session, key)
      where b.session_key = u.session and b.key = u.key`,
      [plainArray(batches.map(one => one.session)), textArray(batches.map(one => one.key))]
    )
  },

  /** Takes a session out of sight; its rows are purged by a job. */
  async remove(trx: Knex.Transaction, id: string): Promise<number | undefined> {
    const [row] = (await trx('datacat_sessions').where({ id }).delete().returning('key')) as {
      key: string
    }[]
    if (!row) return undefined
    await trx('datacat_heartbeats').where({ session_key: row.key }).delete()
    return Number(row.key)
  }
}
