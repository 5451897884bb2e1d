import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openDatabase } from '../db/database.ts'
import { migrate } from '../db/migrate.ts'
import { definePlugin, type Migration } from '../index.ts'
import { atEnd, createTestApp, createTestDatabase } from '../testing.ts'

const step = (name: string, sql: string): Migration => ({ name, up: trx => trx.raw(sql) })
const one = step('0001_things', 'create table things (id int)')
const two = step('0002_names', 'alter table things add column name text')

describe('migrations', () => {
  test('run once, in the order of their names, and are written down', async t => {
    const db = openDatabase(await createTestDatabase(t))
    atEnd(t, () => db.destroy())
    assert.deepEqual(await migrate(db, [{ id: 'a', migrations: [two, one] }, { id: 'none' }]), [
      'a/0001_things',
      'a/0002_names'
    ])
    assert.deepEqual(await migrate(db, [{ id: 'a', migrations: [one, two] }]), [])
    const rows = await db('core_migrations').select('plugin', 'name').orderBy('name')
    assert.deepEqual(rows, [
      { plugin: 'a', name: '0001_things' },
      { plugin: 'a', name: '0002_names' }
    ])
  })

  test('that fail leave nothing behind, not even those before them', async t => {
    const db = openDatabase(await createTestDatabase(t))
    atEnd(t, () => db.destroy())
    const bad = step('0003_bad', 'create table half (id int); select 1 / 0')
    await assert.rejects(
      migrate(db, [
        { id: 'a', migrations: [one] },
        { id: 'b', migrations: [bad] }
      ]),
      { message: /^migration 'b\/0003_bad' failed: .*division by zero/ }
    )
    const { rows } = await db.raw(
      "select count(*)::int as n from pg_tables where schemaname = 'public'"
    )
    assert.equal(rows[0].n, 0)
    assert.deepEqual(await migrate(db, [{ id: 'a', migrations: [one] }]), ['a/0001_things'])
  })

  test('of a newer version are refused, those of an absent plugin are left alone', async t => {
    const db = openDatabase(await createTestDatabase(t))
    atEnd(t, () => db.destroy())
    await migrate(db, [
      { id: 'a', migrations: [one, two] },
      { id: 'ab', migrations: [step('0001_x', 'select 1')] }
    ])
    await assert.rejects(migrate(db, [{ id: 'a', migrations: [one] }]), {
      message:
        "the database is ahead: it has migration 'a/0002_names', which this version does not know; run the newer version"
    })
    assert.deepEqual(
      await migrate(db, [{ id: 'ab', migrations: [step('0001_x', 'select 1')] }]),
      []
    )
  })

  test('run once when several processes start at once on an empty database', async t => {
    const connection = await createTestDatabase(t)
    const plugin = definePlugin({
      id: 'a',
      version: '1.0.0',
      migrations: [
        step(
          '0001_slow',
          'create table things (id int primary key); insert into things values (1); select pg_sleep(0.2)'
        )
      ],
      register() {}
    })
    const apps = await Promise.all(
      Array.from({ length: 3 }, () => createTestApp(t, { connection, plugins: [plugin] }))
    )
    for (const app of apps) assert.equal((await app.call('GET', '/readyz')).status, 200)
    assert.deepEqual(await apps[0]?.db('things').select(), [{ id: 1 }])
    assert.deepEqual(
      await apps[0]?.db('core_migrations').select('plugin', 'name').orderBy(['plugin', 'name']),
      [
        { plugin: 'a', name: '0001_slow' },
        { plugin: 'core', name: '0001_users_sessions_tokens' },
        { plugin: 'core', name: '0002_emit' },
        { plugin: 'core', name: '0010_audit' },
        { plugin: 'core', name: '0011_session_seen' }
      ]
    )
  })

  test('that fail abort the boot in a sentence', async t => {
    const plugin = definePlugin({
      id: 'a',
      version: '1.0.0',
      migrations: [step('0001_bad', 'nonsense')],
      register() {}
    })
    await assert.rejects(
      createTestApp(t, { plugins: [plugin] }),
      /migration 'a\/0001_bad' failed: .*syntax error/
    )
  })
})
