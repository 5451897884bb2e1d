import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster } from '../postgres/cluster.ts'
import { leftovers } from '../postgres/leftovers.ts'
import { startEmbedded } from '../postgres/embedded.ts'
import { app, defer, gone, query, start, temporary } from './embedded-app.ts'

const root = process.getuid?.() === 0
const linux = process.platform === 'linux'
const rootOnly = root && linux ? {} : { skip: 'needs root on Linux' }
const linuxOnly = linux ? {} : { skip: 'needs /proc' }
const NOBODY = 65534
const WRITE = [
  'create table if not exists kept (n int)',
  'insert into kept select generate_series(1, 100)'
]
const COUNT = 'select count(*)::int from kept'

describe('the embedded PostgreSQL', { concurrency: false }, () => {
  test('keeps its data, durably, over a stop and a start', async t => {
    const home = join(temporary(t), 'home')
    const first = await start(t, home)
    await query(first.connection, ...WRITE)
    for (const name of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums'])
      assert.equal(await query(first.connection, `show ${name}`), 'on')
    assert.equal(await query(first.connection, 'show server_encoding'), 'UTF8')
    await query(first.connection, 'create extension pg_trgm', 'create extension pgcrypto')
    await Promise.all([first.stop(), first.stop()])
    await first.stop()
    assert.throws(() => process.kill(first.pid, 0))
    const lines: string[] = []
    truncateSync(join(home, 'postgres', 'server.log'), 11 * 1024 * 1024)
    const second = await start(t, home, lines)
    assert.equal(await query(second.connection, COUNT), 100)
    assert.deepEqual(lines, [])
    assert.ok(statSync(join(home, 'postgres', 'server.log')).size < 10_000, 'a long log was cut')
    assert.ok(existsSync(join(home, 'postgres', 'server.log.1')))
    if (process.platform !== 'win32')
      for (const name of ['data', 'run'])
        assert.equal(statSync(join(home, 'postgres', name)).mode & 0o777, 0o700)
  })

  test('asks for its password', async t => {
    const { connection } = await start(t, join(temporary(t), 'home'))
    await assert.rejects(query({ ...connection, password: 'guess' }, 'select 1'), { code: '28P01' })
  })

  test('refuses a second process on the folder, in a sentence', async t => {
    const home = join(temporary(t), 'home')
    const { connection } = await start(t, home)
    const { error } = await app(t, home).report
    assert.equal(
      error,
      `another rayne (pid ${process.pid}) is using '${home}'; stop it, ` +
        'or set RAYNE_HOME to another folder or DATABASE_URL to a shared database'
    )
    await assert.rejects(startEmbedded({ home, log: () => {} }), /another rayne/)
    assert.equal(await query(connection, 'select 1'), 1)
  })

  test('lets exactly one of several processes start on an empty folder', async t => {
    const home = join(temporary(t), 'home')
    const reports = await Promise.all([1, 2, 3].map(() => app(t, home).report))
    assert.equal(reports.filter(report => report.pid).length, 1)
    assert.equal(reports.filter(report => report.error?.startsWith('another rayne')).length, 2)
  })

  test('ends with an application that is told to end', async t => {
    const home = join(temporary(t), 'home')
    const { child, report } = app(t, home)
    const { pid } = await report
    if (linux)
      assert.equal(
        readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[2],
        String(pid),
        'Ctrl-C would reach it'
      )
    child.stdin!.end()
    await once(child, 'exit')
    assert.throws(() => process.kill(pid, 0))
    assert.ok(!existsSync(join(home, 'postgres', 'data', 'postmaster.pid')))
  })

  test('is started again when it dies alone', linuxOnly, async t => {
    const home = join(temporary(t), 'home')
    const database = await start(t, home)
    await query(database.connection, ...WRITE)
    const { pid } = database
    process.kill(pid, 'SIGKILL')
    await gone(() => database.pid === pid)
    assert.equal(await query(database.connection, COUNT), 100)
  })
})

describe('the embedded PostgreSQL after kill -9', { concurrency: false, ...linuxOnly }, () => {
  test('of the application: the server ends by itself and the rows are kept', async t => {
    const home = join(temporary(t), 'home')
    const { child, report } = app(t, home)
    const { pid, connection } = await report
    await query(connection, ...WRITE)
    child.kill('SIGKILL')
    await gone(() => leftovers(join(home, 'postgres', 'data')).includes(pid), 10)
    assert.equal(await query((await start(t, home)).connection, COUNT), 100)
  })

  test('of the application, with the next start at once', async t => {
    const home = join(temporary(t), 'home')
    const { child, report } = app(t, home)
    await query((await report).connection, ...WRITE)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(await query((await start(t, home)).connection, COUNT), 100)
  })

  test('of the whole tree, in the middle of writing', async t => {
    const home = join(temporary(t), 'home')
    const { child, report } = app(t, home)
    const { connection } = await report
    await query(connection, ...WRITE)
    const busy = query(connection, 'insert into kept select generate_series(1, 100000000)').catch(
      () => {}
    )
    await sleep(200)
    child.kill('SIGKILL')
    for (const pid of leftovers(join(home, 'postgres', 'data')))
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        /* it was quicker */
      }
    await busy
    assert.equal(await query((await start(t, home)).connection, COUNT), 100)
  })

  test('during initdb: what is half done is thrown away', async t => {
    const home = join(temporary(t), 'home')
    const { child } = app(t, home)
    const folder = join(home, 'postgres')
    await gone(
      () => !existsSync(folder) || !readdirSync(folder).some(name => name.startsWith('init-'))
    )
    await sleep(100)
    child.kill('SIGKILL')
    await once(child, 'exit')
    mkdirSync(join(folder, 'init-half'))
    writeFileSync(join(folder, 'init-half', 'PG_VERSION'), '18\n')
    assert.equal(await query((await start(t, home)).connection, 'select 1'), 1)
    assert.ok(!existsSync(join(folder, 'init-half')))
  })

  test('of a server that outlived its application: it is stopped first', async t => {
    const home = join(temporary(t), 'home')
    await (await start(t, home)).stop()
    const cluster = await openCluster(home, () => {})
    const orphan = cluster.run('postgres', [
      '-D',
      cluster.data,
      '-c',
      'listen_addresses=',
      '-c',
      `unix_socket_directories=${cluster.sockets}`
    ])
    defer(t, () => orphan.kill('SIGKILL'))
    await gone(() => !existsSync(join(cluster.sockets, '.s.PGSQL.5432')))
    const lines: string[] = []
    const { connection } = await start(t, home, lines)
    assert.deepEqual(lines, [
      `stopping the PostgreSQL (pid ${orphan.pid}) an earlier run left behind`
    ])
    assert.equal(orphan.exitCode, 0)
    assert.equal(await query(connection, 'select 1'), 1)
  })

  test('and a reboot: pid files that name a living stranger do not stop it', async t => {
    const home = join(temporary(t), 'home')
    await (await start(t, home)).stop()
    const data = join(home, 'postgres', 'data')
    const { uid } = statSync(data)
    const stranger = spawn('sleep', ['600'], root ? { uid, gid: uid } : {})
    defer(t, () => stranger.kill('SIGKILL'))
    const stale = `${stranger.pid}\n${data}\n1700000000\n5432\n${join(home, 'postgres', 'run')}\n\n  1  1\nready   \n`
    mkdirSync(join(home, 'postgres', 'run'))
    for (const path of [
      join(data, 'postmaster.pid'),
      join(home, 'postgres', 'run', '.s.PGSQL.5432.lock'),
      join(home, 'rayne.pid')
    ])
      writeFileSync(path, stale)
    assert.equal(await query((await start(t, home)).connection, 'select 1'), 1)
    assert.equal(stranger.exitCode ?? stranger.signalCode, null)
  })
})

describe('where the embedded PostgreSQL runs', { concurrency: false }, () => {
  test('below a path too long for a socket', async t => {
    const home = join(temporary(t), 'x'.repeat(60), 'y'.repeat(60))
    const { connection, stop } = await start(t, home)
    defer(t, () => rmSync(connection.host, { recursive: true, force: true }))
    if (process.platform !== 'win32') assert.ok(connection.host.length < 90)
    assert.equal(await query(connection, 'select 1'), 1)
    await stop()
    assert.ok(!existsSync(connection.host))
  })

  test('below a path with spaces, commas and quotes', async t => {
    const home = join(temporary(t), `a b, c'd${process.platform === 'win32' ? '' : '"e'}`)
    assert.equal(await query((await start(t, home)).connection, 'select 1'), 1)
  })

  test('as a user other than root', rootOnly, async t => {
    const folder = temporary(t)
    const { child, report } = app(t, join(folder, 'home'), NOBODY)
    const { pid, connection, error } = await report
    assert.equal(error, undefined)
    assert.equal(statSync(`/proc/${pid}`).uid, NOBODY)
    await query(connection, ...WRITE)
    child.kill('SIGKILL')
    await gone(() => leftovers(join(folder, 'home/postgres/data')).includes(pid))
    const again = app(t, join(folder, 'home'), NOBODY)
    assert.equal(await query((await again.report).connection, COUNT), 100)
  })

  test('as root below a folder only root can enter, and back', rootOnly, async t => {
    const folder = temporary(t)
    const home = join(folder, 'home')
    const owner = () => statSync(join(home, 'postgres', 'data')).uid
    const open = await start(t, home)
    await query(open.connection, ...WRITE)
    await open.stop()
    assert.equal(owner(), NOBODY)
    chmodSync(folder, 0o700)
    const closed = app(t, home)
    const { pid, connection } = await closed.report
    assert.equal(owner(), 0)
    assert.equal(await query(connection, COUNT), 100)
    closed.child.kill('SIGKILL')
    await gone(() => leftovers(join(home, 'postgres/data')).includes(pid))
    chmodSync(folder, 0o755)
    assert.equal(await query((await start(t, home)).connection, COUNT), 100)
    assert.equal(owner(), NOBODY)
  })

  test('says what to do when the home cannot be written', rootOnly, async t => {
    const folder = temporary(t)
    chmodSync(folder, 0o755)
    const { error } = await app(t, join(folder, 'home'), NOBODY).report
    assert.match(
      error ?? '',
      /^cannot write to '.*home' \(EACCES.*\): make it writable, or set RAYNE_HOME .* DATABASE_URL/
    )
  })

  test('shows the log when the server cannot start', async t => {
    const home = join(temporary(t), 'home')
    await (await start(t, home)).stop()
    writeFileSync(join(home, 'postgres', 'data', 'PG_VERSION'), '9\n')
    await assert.rejects(
      startEmbedded({ home, log: () => {} }),
      /did not start: .*DATABASE_URL[^]*initialized by PostgreSQL version 9/
    )
    writeFileSync(join(home, 'postgres', 'data', 'PG_VERSION'), '18\n')
    assert.equal(await query((await start(t, home)).connection, 'select 1'), 1)
  })
})
