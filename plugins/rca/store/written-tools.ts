import type { Knex } from '../../../core/index.ts'
import type { Proposal } from '../written/proposal.ts'

/** Where a version stands: `tested` waits for a person, `canary` and `active` are served, the others are not. */
export const writtenStates = [
  'draft',
  'tested',
  'canary',
  'active',
  'retired',
  'rejected',
  'quarantined'
] as const
export type WrittenState = (typeof writtenStates)[number]

/** One example that was run, and why it failed. */
export interface ExampleRun {
  readonly passed: boolean
  readonly took_ms: number
  readonly message: string | null
  /** What it answered, cut to what a person reads. */
  readonly answer: string | null
}

export interface WrittenRow {
  readonly id: string
  readonly name: string
  readonly version: number
  readonly state: WrittenState
  readonly proposal: Proposal
  readonly hash: string
  readonly warnings: readonly string[]
  readonly tests: readonly ExampleRun[]
  readonly author: string
  readonly approved_by: string | null
  readonly approved_hash: string | null
  readonly approved_at: Date | null
  readonly note: string | null
  readonly calls: number
  readonly failures: number
  readonly created_at: Date
  readonly changed_at: Date
}

export interface NewVersion {
  readonly proposal: Proposal
  readonly hash: string
  readonly state: 'draft' | 'tested'
  readonly warnings: readonly string[]
  readonly tests: readonly ExampleRun[]
  readonly author: string
}

const table = 'rca_written_tools'
const served = ['canary', 'active']
const lockKey = 4_150_021
/** A canary is active after so many calls that went well; ten of the last calls say whether one fails too often. */
const canaryCalls = 20

/** All SQL of the tools written at run time. */
export const writtenStore = {
  /** Adds the next version of a name; the same proposal again is the version it is already. */
  add: (db: Knex, one: NewVersion): Promise<WrittenRow> =>
    db.transaction(async trx => {
      await trx.raw('select pg_advisory_xact_lock(?)', [lockKey])
      const { name } = one.proposal
      const last = await trx<WrittenRow>(table).where({ name }).orderBy('version', 'desc').first()
      const same =
        last?.hash === one.hash && ['draft', 'tested', 'canary', 'active'].includes(last.state)
      const checked = {
        state: one.state,
        warnings: JSON.stringify(one.warnings),
        tests: JSON.stringify(one.tests)
      }
      if (same && served.includes(last.state)) return last
      const rows = same
        ? await trx(table)
            .where({ id: last.id })
            .update({
              ...checked,
              proposal: JSON.stringify(one.proposal),
              changed_at: trx.fn.now()
            })
            .returning('*')
        : await trx(table)
            .insert({
              ...checked,
              name,
              version: (last?.version ?? 0) + 1,
              proposal: JSON.stringify(one.proposal),
              hash: one.hash,
              author: one.author
            })
            .returning('*')
      return rows[0] as WrittenRow
    }),

  /** Writes down what the checks of a version said that is not served. */
  async checked(
    db: Knex,
    id: string,
    { state, warnings, tests }: Pick<NewVersion, 'state' | 'warnings' | 'tests'>
  ): Promise<WrittenRow | undefined> {
    const rows = await db(table)
      .where({ id })
      .whereIn('state', ['draft', 'tested'])
      .update({
        state,
        warnings: JSON.stringify(warnings),
        tests: JSON.stringify(tests),
        changed_at: db.fn.now()
      })
      .returning('*')
    return rows[0] as WrittenRow | undefined
  },

  /** The newest version of each name. */
  list: (db: Knex, limit: number): Promise<WrittenRow[]> =>
    db<WrittenRow>(table)
      .whereRaw(
        `version = (select max(version) from ${table} other where other.name = ${table}.name)`
      )
      .orderBy('name')
      .limit(limit),

  versions: (db: Knex, name: string, limit = 50): Promise<WrittenRow[]> =>
    db<WrittenRow>(table).where({ name }).orderBy('version', 'desc').limit(limit),

  served: (db: Knex): Promise<WrittenRow[]> =>
    db<WrittenRow>(table).whereIn('state', served).orderBy('name').limit(200),

  /** Changes whenever what is served may have changed. */
  async stamp(db: Knex): Promise<string> {
    const { rows } = await db.raw<{ rows: { stamp: string }[] }>(
      `select coalesce(max(changed_at)::text, '') || ' ' || count(*) as stamp from ${table}`
    )
    return rows[0]?.stamp ?? ''
  },

  /** A version that was read as one of these states gets another; undefined when it has moved on meanwhile. */
  async move(
    trx: Knex,
    {
      id,
      from,
      to,
      ...more
    }: {
      id: string
      from: readonly WrittenState[]
      to: WrittenState
      note?: string | null
      approved_by?: string
      approved_hash?: string
      approved_at?: Date
    }
  ): Promise<WrittenRow | undefined> {
    const rows = await trx<WrittenRow>(table)
      .where({ id })
      .whereIn('state', [...from])
      .update({ ...more, state: to, changed_at: new Date() })
      .returning('*')
    return rows[0]
  },

  /** Takes the version of a name that is served out of service. */
  retire: (trx: Knex, name: string, note: string): Promise<number> =>
    trx(table)
      .where({ name })
      .whereIn('state', served)
      .update({ state: 'retired', note, changed_at: trx.fn.now() }),

  /** Counts a call: a canary that went well often enough is active, and what fails too often is served no more. */
  async count(db: Knex, id: string, failed: boolean): Promise<WrittenRow | undefined> {
    const { rows } = await db.raw<{ rows: WrittenRow[] }>(
      `update ${table} set
         calls = calls + 1,
         failures = failures + cast(? as boolean)::int,
         recent = (array_prepend(cast(? as boolean), recent))[1:10]
       where id = ? returning *`,
      [failed, failed, id]
    )
    const row = rows[0] as (WrittenRow & { recent: boolean[] }) | undefined
    if (!row || !served.includes(row.state)) return row
    const bad = row.recent.filter(Boolean).length
    if (bad >= 5)
      return writtenStore.move(db, {
        id,
        from: ['canary', 'active'],
        to: 'quarantined',
        note: `${bad} of its last ${row.recent.length} calls failed`
      })
    if (row.state === 'canary' && row.calls - row.failures >= canaryCalls)
      return writtenStore.move(db, { id, from: ['canary'], to: 'active' })
    return row
  }
}
