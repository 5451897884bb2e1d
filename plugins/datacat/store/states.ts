import { createHash } from 'node:crypto'
import type { Knex } from '../../../core/index.ts'
import type { Leaf } from '../wire/merge.ts'
import { plainArray, textArray } from './arrays.ts'

/** One accepted update; `snapshot` is the whole state after it, kept now and then so that reading back is short. */
export interface NewState {
  readonly session: number
  readonly n: number
  readonly at: number
  readonly patch: string
  readonly snapshot: string | null
}
/** One accepted update as it is read back; `patch` is JSON text. */
export interface StateRow {
  readonly n: number
  readonly at: number
  readonly patch: string
}
export interface ValueChange extends Leaf {
  readonly session: number
  readonly current: boolean
}

/** Values are looked up by this, since an index entry is limited in length. */
export const valueHash = (value: string): string => createHash('md5').update(value).digest('hex')
// PostgreSQL's text holds no NUL, and its index entries are short.
const clean = (text: string, length: number): string =>
  text.replaceAll('\u0000', '').slice(0, length)
export const pathText = (path: string): string => clean(path, 600)

/** All SQL of states. */
export const stateStore = {
  /** Current states as JSON text, by session key. */
  async current(db: Knex, keys: readonly number[]): Promise<ReadonlyMap<number, string>> {
    const rows = (await db('datacat_current_states')
      .whereIn('session_key', [...keys])
      .select('session_key', 'state')) as { session_key: string; state: string }[]
    return new Map(rows.map(row => [Number(row.session_key), row.state]))
  },

  async save(
    trx: Knex.Transaction,
    states: readonly NewState[],
    current: ReadonlyMap<number, string>,
    changes: readonly ValueChange[],
    now: number
  ): Promise<void> {
    await trx.raw(
      `insert into datacat_states (session_key, n, at, received_at, patch, snapshot)
      select session, n, at, ?, patch, snapshot
      from unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::text[], ?::text[])
        as s(session, n, at, patch, snapshot)`,
      [
        now,
        plainArray(states.map(one => one.session)),
        plainArray(states.map(one => one.n)),
        plainArray(states.map(one => one.at)),
        textArray(states.map(one => one.patch)),
        textArray(states.map(one => one.snapshot))
      ]
    )
    const [keys, texts] = [[...current.keys()], [...current.values()]]
    const added = new Map<number, number>(keys.map(key => [key, 0]))
    for (const { session } of states) added.set(session, (added.get(session) ?? 0) + 1)
    await trx.raw(
      `insert into datacat_current_states (session_key, state)
      select * from unnest(?::bigint[], ?::text[])
      on conflict (session_key) do update set state = excluded.state`,
      [plainArray(keys), textArray(texts)]
    )
    await trx.raw(
      `update datacat_sessions s
      set states = s.states + a.added,
        updated_at = greatest(s.updated_at, ?)
      from unnest(?::bigint[], ?::int[]) as a(key, added)
      where s.key = a.key`,
      [now, plainArray(keys), plainArray(keys.map(key => added.get(key) ?? 0))]
    )
    if (changes.length > 0) await saveValues(trx, changes, now)
  },

  /** Updates of a session after the nth, oldest first; `before` cuts by the time they say. */
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
      .select('n', 'at', 'patch')) as { n: string; at: string; patch: string }[]
    return rows.map(row => ({ n: Number(row.n), at: Number(row.at), patch: row.patch }))
  },

  /** The nearest snapshot and the patches after it, up to the last update received at or before a time. */
  async until(
    db: Knex,
    session: number,
    at: number
  ): Promise<{ snapshot: string; patches: string[] }> {
    const last = (await db('datacat_states')
      .where({ session_key: session })
      .where('at', '<=', at)
      .max({ n: 'n' })
      .first()) as { n: string | null }
    if (last.n === null) return { snapshot: '{}', patches: [] }
    const base = (await db('datacat_states')
      .where({ session_key: session })
      .where('n', '<=', last.n)
      .whereNotNull('snapshot')
      .orderBy('n', 'desc')
      .first('n', 'snapshot')) as { n: string; snapshot: string } | undefined
    const rows = (await db('datacat_states')
      .where({ session_key: session })
      .where('n', '>', base?.n ?? 0)
      .where('n', '<=', last.n)
      .orderBy('n')
      .pluck('patch')) as string[]
    return { snapshot: base?.snapshot ?? '{}', patches: rows }
  }
}

/** Every value a path ever had is one row, marked while it is current. */
async function saveValues(
  trx: Knex.Transaction,
  changes: readonly ValueChange[],
  now: number
): Promise<void> {
  const last = new Map<string, ValueChange & { hash: string }>()
  for (const change of changes) {
    const [hash, path] = [valueHash(change.value), pathText(change.path)]
    last.set(`${change.session} ${path} ${change.element} ${hash}`, { ...change, path, hash })
  }
  const rows = [...last.values()]
  await trx.raw(
    `insert into datacat_state_values as v
      (session_key, path, element, hash, value, current, first_at)
    select session, path, element, hash, value, current, ?
    from unnest(?::bigint[], ?::text[], ?::boolean[], ?::uuid[], ?::text[], ?::boolean[])
      as c(session, path, element, hash, value, current)
    on conflict (session_key, path, element, hash)
    do update set current = excluded.current
    where v.current is distinct from excluded.current`,
    [
      now,
      plainArray(rows.map(row => row.session)),
      textArray(rows.map(row => row.path)),
      plainArray(rows.map(row => row.element)),
      plainArray(rows.map(row => row.hash)),
      textArray(rows.map(row => clean(row.value, 200))),
      plainArray(rows.map(row => row.current))
    ]
  )
}
