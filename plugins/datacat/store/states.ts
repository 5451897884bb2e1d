import { hash } from 'node:crypto'
import type { Knex } from '../../../core/index.ts'
import type { Leaf } from '../wire/leaves.ts'
import { plainArray, textArray } from './arrays.ts'

/**
 * One accepted update; `snapshot` is the whole state after it, kept now and then so that reading
 * back is short.
 */
export interface NewState {
  readonly session: number
  readonly n: number
  readonly at: number
  /** What a client with a wrong clock said instead of `at`. */
  readonly said: number | null
  readonly patch: string
  readonly snapshot: string | null
}
/** One accepted update as it is read back; `patch` is JSON text. */
export interface StateRow {
  readonly n: number
  readonly at: number
  readonly said: number | null
  readonly patch: string
}
/** A state and the list of patches that came after it, both as JSON text. */
export interface StateBase {
  readonly text: string
  readonly patches: string
}
/** Where the written text of a current state stands. */
export interface StateMark {
  /** The last update the text holds. */
  readonly n: number
  /** Bytes of the patches after that one. */
  readonly pendingBytes: number
  /** The last update whose whole state the history keeps. */
  readonly snapshotN: number
  /** Bytes of the patches since that one. */
  readonly snapshotBytes: number
}
/** The current state of a session after some updates; `text` null leaves the written one behind. */
export interface NewCurrent extends StateMark {
  readonly session: number
  readonly text: string | null
  readonly added: number
}
export interface ValueChange extends Leaf {
  readonly session: number
  readonly current: boolean
}

/** Values are looked up by this, since an index entry is limited in length. */
export const valueHash = (value: string): string => hash('md5', value)
// PostgreSQL's text holds no NUL, and its index entries are short.
const clean = (text: string, length: number): string =>
  text.replaceAll('\u0000', '').slice(0, length)
export const pathText = (path: string): string => clean(path, 600)

const noPatches = '[]'
const emptyBase: StateBase = { text: '{}', patches: noPatches }
// One text is read faster than an array of many.
const listOfPatches = `'[' || string_agg(p.patch, ',' order by p.n) || ']'`

/** The columns of a `StateBase` where `datacat_current_states` is `c`. */
export const stateBaseColumns = `
  c.state,
  (
    select ${listOfPatches}
    from datacat_states p
    where p.session_key = c.session_key and p.n > c.n
  ) as patches`
export interface RawStateBase {
  readonly state: string | null
  readonly patches: string | null
}
/** A session without any update has an empty state. */
export const stateBaseOf = ({ state, patches }: RawStateBase): StateBase =>
  state === null ? emptyBase : { text: state, patches: patches ?? noPatches }

/** All SQL of states. */
export const stateStore = {
  /** Current states, by session key; a session without any update is left out. */
  async current(
    db: Knex,
    keys: readonly number[]
  ): Promise<ReadonlyMap<number, StateBase & StateMark>> {
    const { rows } = await db.raw<{ rows: (RawMark & RawStateBase)[] }>(
      `select ${markColumns}, ${stateBaseColumns}
      from datacat_current_states c
      where c.session_key = any(?::bigint[])`,
      [plainArray(keys)]
    )
    return new Map(
      rows.map(row => [Number(row.session_key), { ...markOf(row), ...stateBaseOf(row) }])
    )
  },

  /**
   * The list of patches of each session after its nth, as JSON text, and where its written text
   * stands; by session key.
   */
  async after(
    db: Knex,
    marks: ReadonlyMap<number, number>
  ): Promise<ReadonlyMap<number, StateMark & { readonly patches: string }>> {
    const { rows } = await db.raw<{ rows: (RawMark & { patches: string })[] }>(
      `select ${markColumns}, ${listOfPatches} as patches
      from unnest(?::bigint[], ?::bigint[]) as a(session_key, n)
      join datacat_current_states c on c.session_key = a.session_key
      join datacat_states p on p.session_key = a.session_key and p.n > a.n
      group by c.session_key`,
      [plainArray([...marks.keys()]), plainArray([...marks.values()])]
    )
    return new Map(
      rows.map(({ patches, ...row }) => [Number(row.session_key), { ...markOf(row), patches }])
    )
  },

  async save(
    trx: Knex.Transaction,
    states: readonly NewState[],
    current: readonly NewCurrent[],
    changes: readonly ValueChange[],
    now: number
  ): Promise<void> {
    await trx.raw(insertStates, [
      now,
      plainArray(states.map(one => one.session)),
      plainArray(states.map(one => one.n)),
      plainArray(states.map(one => one.at)),
      plainArray(states.map(one => one.said)),
      textArray(states.map(one => one.patch)),
      textArray(states.map(one => one.snapshot))
    ])
    await trx.raw(saveCurrent, [
      plainArray(current.map(one => one.session)),
      textArray(current.map(one => one.text)),
      plainArray(current.map(one => one.n)),
      plainArray(current.map(one => one.pendingBytes)),
      plainArray(current.map(one => one.snapshotN)),
      plainArray(current.map(one => one.snapshotBytes))
    ])
    await trx.raw(countStates, [
      now,
      plainArray(current.map(one => one.session)),
      plainArray(current.map(one => one.added))
    ])
    if (changes.length > 0) await saveValues(trx, changes, now)
  },

  /** Updates of a session after the nth, oldest first. */
  async history(
    db: Knex,
    session: number,
    page: { readonly after: number; readonly limit: number }
  ): Promise<StateRow[]> {
    const rows = (await db('datacat_states')
      .where({ session_key: session })
      .where('n', '>', page.after)
      .orderBy('n')
      .limit(page.limit)
      .select('n', 'at', 'said_at', 'patch')) as RawState[]
    return rows.map(stateOf)
  },

  /** The nearest snapshot and the patches after it, up to the last update that says a time or before. */
  async until(db: Knex, session: number, at: number): Promise<StateBase> {
    const ofSession = () => db('datacat_states').where({ session_key: session })
    const last = (await ofSession().where('at', '<=', at).max({ n: 'n' }).first()) as {
      n: string | null
    }
    if (last.n === null) return emptyBase
    const base = (await ofSession()
      .where('n', '<=', last.n)
      .whereNotNull('snapshot')
      .orderBy('n', 'desc')
      .first('n', 'snapshot')) as { n: string; snapshot: string } | undefined
    const patches = (await ofSession()
      .where(query => {
        if (base) query.where('n', '>', base.n)
      })
      .where('n', '<=', last.n)
      .orderBy('n')
      .pluck('patch')) as string[]
    return { text: base?.snapshot ?? emptyBase.text, patches: `[${patches.join(',')}]` }
  }
}

const markColumns = 'c.session_key, c.n, c.pending_bytes, c.snapshot_n, c.snapshot_bytes'
interface RawMark {
  readonly session_key: string
  readonly n: string
  readonly pending_bytes: string
  readonly snapshot_n: string
  readonly snapshot_bytes: string
}
const markOf = (row: RawMark): StateMark => ({
  n: Number(row.n),
  pendingBytes: Number(row.pending_bytes),
  snapshotN: Number(row.snapshot_n),
  snapshotBytes: Number(row.snapshot_bytes)
})

interface RawState {
  readonly n: string
  readonly at: string
  readonly said_at: string | null
  readonly patch: string
}
const stateOf = ({ n, at, said_at, patch }: RawState): StateRow => ({
  n: Number(n),
  at: Number(at),
  said: said_at === null ? null : Number(said_at),
  patch
})

const insertStates = `
  insert into datacat_states (session_key, n, at, said_at, received_at, patch, snapshot)
  select session, n, at, said, ?, patch, snapshot
  from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[])
    as s(session, n, at, said, patch, snapshot)`
const saveCurrent = `
  insert into datacat_current_states as c
    (session_key, state, n, pending_bytes, snapshot_n, snapshot_bytes)
  select session, coalesce(text, '{}'), n, pending_bytes, snapshot_n, snapshot_bytes
  from unnest(?::bigint[], ?::text[], ?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])
    as a(session, text, n, pending_bytes, snapshot_n, snapshot_bytes)
  on conflict (session_key) do update
  set state = case when excluded.n > c.n then excluded.state else c.state end,
    n = excluded.n,
    pending_bytes = excluded.pending_bytes,
    snapshot_n = excluded.snapshot_n,
    snapshot_bytes = excluded.snapshot_bytes`
const countStates = `
  update datacat_sessions s
  set states = s.states + a.added,
    updated_at = greatest(s.updated_at, ?)
  from unnest(?::bigint[], ?::int[]) as a(key, added)
  where s.key = a.key`
const insertValues = `
  insert into datacat_state_values as v
    (session_key, path, element, hash, value, current, first_at)
  select session, path, element, hash, value, current, ?
  from unnest(?::bigint[], ?::text[], ?::boolean[], ?::uuid[], ?::text[], ?::boolean[])
    as c(session, path, element, hash, value, current)
  on conflict (session_key, path, element, hash)
  do update set current = excluded.current
  where v.current is distinct from excluded.current`

/** Every value a path ever had is one row, marked while it is current. */
async function saveValues(
  trx: Knex.Transaction,
  changes: readonly ValueChange[],
  now: number
): Promise<void> {
  const last = new Map<string, ValueChange & { hash: string }>()
  for (const change of changes) {
    const [digest, path] = [valueHash(change.value), pathText(change.path)]
    const key = `${change.session} ${path} ${change.element} ${digest}`
    last.set(key, { ...change, path, hash: digest })
  }
  const rows = [...last.values()]
  await trx.raw(insertValues, [
    now,
    plainArray(rows.map(row => row.session)),
    textArray(rows.map(row => row.path)),
    plainArray(rows.map(row => row.element)),
    plainArray(rows.map(row => row.hash)),
    textArray(rows.map(row => clean(row.value, 200))),
    plainArray(rows.map(row => row.current))
  ])
}
