import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { eventually } from '../../../core/test/eventually.ts'
import type { DatacatClient } from '../clients/typescript/datacat.ts'
import {
  connect,
  filesOf,
  names,
  refuse,
  startServer,
  temporary,
  type Fault
} from './faulty-server.ts'

describe('the offline folder', () => {
  test('keeps what the server does not take, and a later process sends it in order, each once', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    const session = await first.createSession()
    for (const name of names(3)) {
      await session.logEvent(name)
      await first.flush()
    }
    assert.deepEqual([first.stats().stored, first.stats().queued], [3, 0])
    assert.equal(filesOf(folder).length, 4)
    await first.close()
    await server.up()
    server.faults.push('none', 'lost', 'none', 'cut')
    const second = connect(t, server, { offlineDir: folder })
    await second.openSession(session.id).logEvent('3')
    await second.flush()
    assert.deepEqual(server.stored.get(session.id), names(4))
    assert.equal(server.received[0]?.body['id'], session.id)
    assert.deepEqual(filesOf(folder), [])
    assert.deepEqual(second.stats(), {
      logged: 1,
      recovered: 3,
      delivered: 4,
      dropped: 0,
      rejected: 0,
      queued: 0,
      stored: 0,
      storedBytes: 0
    })
  })

  test('keeps its order when the clock was set back', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    for (const name of names(3)) {
      const client = connect(t, server, { offlineDir: folder, retries: 0 })
      await client.openSession('one').logEvent(name)
      await client.close()
      const [first = ''] = filesOf(folder)
      if (name === '0')
        renameSync(
          path.join(folder, first),
          path.join(folder, first.replace(/^\d+/, '009999999999999'))
        )
    }
    await server.up()
    await connect(t, server, { offlineDir: folder }).flush()
    assert.deepEqual(server.stored.get('one'), names(3))
  })

  test('is emptied by a process that writes nothing', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    await first.openSession('one').logEvent('0')
    await first.close()
    await server.up()
    connect(t, server, { offlineDir: folder })
    await eventually(
      'the delivery',
      () => server.stored.get('one')?.length === 1 && filesOf(folder).length === 0
    )
  })

  test('half-written, empty, foreign and unreadable files block nothing', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    for (const name of names(3)) {
      await first.openSession('one').logEvent(name)
      await first.flush()
    }
    await first.close()
    const [torn = '', , last = ''] = filesOf(folder).sort()
    const text = readFileSync(path.join(folder, torn), 'utf8')
    writeFileSync(path.join(folder, torn), text.slice(0, text.length / 2))
    writeFileSync(path.join(folder, last.replace(/^\d+/, '000000000000001')), '')
    mkdirSync(path.join(folder, last.replace(/^\d+/, '000000000000002')))
    writeFileSync(path.join(folder, '.0badc0de-1.tmp'), text.slice(0, 9))
    writeFileSync(path.join(folder, 'notes.txt'), 'mine')
    writeFileSync(
      path.join(folder, last.replace(/^\d+/, '000000000000003')),
      '{"path":"/v1/somewhere/else","body":{}}'
    )
    await server.up()
    const second = connect(t, server, { offlineDir: folder })
    await second.flush()
    assert.deepEqual(server.stored.get('one'), ['1', '2'])
    assert.equal(second.stats().stored, 0)
    assert.equal(second.stats().dropped, 4)
    assert.equal(readFileSync(path.join(folder, 'notes.txt'), 'utf8'), 'mine')
  })

  test('takes no more bytes than it may; what comes on top stays in memory, then is dropped and counted', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const client = connect(t, server, {
      offlineDir: folder,
      retries: 0,
      offlineMaxBytes: 2_000,
      maxQueued: 3
    })
    for (const name of names(20)) {
      await client.openSession('one').logEvent(name)
      await client.flush().catch(() => {})
    }
    const { stored, queued, dropped, storedBytes } = client.stats()
    assert.ok(storedBytes <= 2_000 && stored > 3 && queued === 3, JSON.stringify(client.stats()))
    assert.equal(stored + queued + dropped, 20)
    await server.up()
    await client.flush()
    assert.deepEqual(server.stored.get('one'), names(stored + queued))
    assert.equal(client.stats().storedBytes, 0)
  })

  test('that cannot be used is told, and memory takes its place', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    writeFileSync(path.join(folder, 'file'), '')
    const told: unknown[] = []
    const client = connect(t, server, {
      offlineDir: path.join(folder, 'file'),
      onError: error => told.push(error)
    })
    await client.openSession('one').logEvent('0')
    await client.flush()
    assert.deepEqual(server.stored.get('one'), ['0'])
    assert.equal(told.length, 1)
  })

  test('serves two processes at once', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const first = connect(t, server, { offlineDir: folder, retries: 0 })
    for (const name of names(5)) {
      await first.openSession('one').logEvent(name)
      await first.flush()
    }
    await server.up()
    const second = connect(t, server, { offlineDir: folder })
    await Promise.all([first.flush(), second.flush()])
    assert.deepEqual(server.stored.get('one'), names(5))
    assert.deepEqual([first.stats().stored, second.stats().stored], [0, 0])
  })

  test('keeps unbuffered writes too, and their order', async t => {
    const [server, folder] = [await startServer(t), temporary(t)]
    await server.down()
    const client = connect(t, server, { offlineDir: folder, retries: 0, buffered: false })
    const session = await client.createSession()
    await session.logEvent('0')
    await session.logEvent('1')
    await client.close()
    await server.up()
    const later = connect(t, server, { offlineDir: folder, buffered: false })
    await later.openSession(session.id).logEvent('2')
    await later.flush()
    assert.deepEqual(server.stored.get(session.id), names(3))
  })

  test(
    "is its owner's alone",
    { skip: process.platform === 'win32' ? 'Windows has other permissions' : false },
    async t => {
      const folder = path.join(temporary(t), 'deep', 'er')
      const client = connect(t, { url: 'http://127.0.0.1:9' }, { offlineDir: folder, retries: 0 })
      await client.openSession('one').logEvent('0')
      await client.flush()
      const modes = [folder, ...filesOf(folder).map(name => path.join(folder, name))].map(
        name => statSync(name).mode & 0o777
      )
      assert.deepEqual(modes, [0o700, 0o600])
    }
  )
})

describe('whatever fails in between', () => {
  const fault = fc.constantFrom<Fault>('none', 'refused', 'lost', 'cut', 'busy', 'elsewhere')
  const step = fc.oneof(
    fc.record({
      do: fc.constant('log' as const),
      count: fc.integer({ min: 1, max: 12 }),
      session: fc.constantFrom('one', 'two')
    }),
    fc.record({
      do: fc.constant('fail' as const),
      faults: fc.array(fault, { minLength: 1, maxLength: 8 })
    }),
    fc.record({
      do: fc.constantFrom(
        'flush' as const,
        'restart' as const,
        'down' as const,
        'up' as const,
        'wait' as const
      )
    })
  )

  for (const place of ['memory', 'disk'] as const) {
    test(`every item kept in ${place} arrives once and in order`, async t => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 14 }),
          fc.boolean(),
          fc.integer({ min: 0, max: 2 }),
          async (steps, poisoned, retries) => {
            const server = await startServer(t)
            const folder = temporary(t)
            const poison = (name: string): boolean => poisoned && Number(name) % 7 === 3
            server.answer = ({ body }, response) => {
              const bad = ((body['events'] ?? []) as { name: string }[]).some(event =>
                poison(event.name)
              )
              if (bad) refuse(response, 400, 'invalid-input')
              return bad
            }
            const open = (): DatacatClient =>
              connect(t, server, {
                retries,
                flushMs: 5,
                flushItems: 4,
                ...(place === 'disk' ? { offlineDir: folder } : {})
              })
            let client = open()
            const logged = { one: [] as string[], two: [] as string[] }
            for (const one of steps) {
              if (one.do === 'fail') server.faults.push(...one.faults)
              if (one.do === 'log')
                for (let count = 0; count < one.count; count++) {
                  const own = logged[one.session]
                  own.push(String(own.length))
                  await client.openSession(one.session).logEvent(String(own.length - 1))
                }
              if (one.do === 'down') await server.down()
              if (one.do === 'up') {
                await server.down()
                await server.up()
              }
              if (one.do === 'wait') await sleep(8)
              if (one.do === 'flush') await client.flush().catch(() => {})
              // What is flushed survives a process that ends without a word.
              if (one.do === 'restart' && place === 'disk') {
                await client.flush()
                await client.close({ signal: AbortSignal.abort() }).catch(() => {})
                client = open()
              }
            }
            await server.down()
            await server.up()
            await eventually('the delivery', async () => {
              await client.flush().catch(() => {})
              return client.stats().queued + client.stats().stored === 0
            })
            for (const session of ['one', 'two'] as const)
              assert.deepEqual(
                server.stored.get(session) ?? [],
                logged[session].filter(name => !poison(name))
              )
            const { logged: all, recovered, delivered, dropped, rejected } = client.stats()
            assert.equal(all + recovered, delivered + dropped + rejected)
            await client.close()
            await server.down()
          }
        ),
        { numRuns: 25 }
      )
    })
  }
})
