import type { Knex } from '../../../core/index.ts'

/** Thirty days of milliseconds; `datacat_partition` cuts the tables at its multiples. */
export const periodMs = 2_592_000_000
const kinds = ['points', 'rollups', 'events'] as const

/** Makes the partitions that rows received at `now` and in the next two periods need. */
export async function ensurePartitions(db: Knex, now: number): Promise<void> {
  const period = Math.floor(now / periodMs)
  const { rows } = await db.raw(
    `select count(*)::int as there
    from pg_class
    where relname = any(?) and relkind = 'r'`,
    [[0, 1, 2].flatMap(ahead => kinds.map(kind => `datacat_${kind}_${period + ahead}`))]
  )
  if (rows[0].there === 9) return
  for (const ahead of [0, 1, 2]) await db.raw('select datacat_partition(?)', [period + ahead])
}

/** Drops whole partitions in which everything was received before a time; answers their names. */
export async function dropPartitions(db: Knex, before: number): Promise<string[]> {
  const { rows } = await db.raw(
    `select c.relname as name
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    join pg_class p on p.oid = i.inhparent
    where p.relkind = 'p' and p.relname = any(?)`,
    [kinds.map(kind => `datacat_${kind}`)]
  )
  const old = (rows as { name: string }[])
    .map(row => row.name)
    .filter(name => (Number(/_(\d+)$/.exec(name)?.[1]) + 1) * periodMs <= before)
  for (const name of old) await db.raw('drop table ??', [name])
  return old
}
