import type { Knex } from 'knex'
import { bootError } from '../errors.ts'

/** One step of a plugin's schema; `name` is `0001_<what>` and never changes once released. */
export interface Migration {
  readonly name: string
  up(trx: Knex.Transaction): Promise<unknown>
}

const lockKey = 7_220_115
const ledger = `
  create table if not exists core_migrations (
    plugin text not null,
    name text not null,
    applied_at timestamptz not null default now(),
    primary key (plugin, name)
  )`

/**
 * Brings every plugin's tables up in one transaction under one advisory lock: several processes may start at once,
 * and a failed step leaves nothing behind. A ledger with steps this version does not know is refused (an older image
 * on a newer schema).
 */
export async function migrate(
  db: Knex,
  plugins: readonly { id: string; migrations?: readonly Migration[] | undefined }[]
): Promise<string[]> {
  return db.transaction(async trx => {
    await trx.raw('select pg_advisory_xact_lock(?)', [lockKey])
    await trx.raw(ledger)
    const applied = new Set(
      (await trx('core_migrations').select('plugin', 'name')).map(
        row => `${row.plugin}/${row.name}`
      )
    )
    const done: string[] = []
    for (const { id, migrations = [] } of plugins) {
      const known = new Set(migrations.map(migration => `${id}/${migration.name}`))
      const ahead = [...applied].find(name => name.startsWith(`${id}/`) && !known.has(name))
      if (ahead)
        throw bootError(
          `the database is ahead: it has migration '${ahead}', which this version does not know; run the newer version`
        )
      for (const migration of [...migrations].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        const name = `${id}/${migration.name}`
        if (applied.has(name)) continue
        await migration.up(trx).catch((error: unknown) => {
          throw bootError(
            `migration '${name}' failed: ${error instanceof Error ? error.message : String(error)}`,
            error
          )
        })
        await trx('core_migrations').insert({ plugin: id, name: migration.name })
        done.push(name)
      }
    }
    return done
  })
}
