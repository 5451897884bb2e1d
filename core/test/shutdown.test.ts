import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { definePlugin, Type, type Plugin } from '../index.ts'
import { createTestApp } from '../testing.ts'
import { openSocket } from './raw-request.ts'

const closing = (
  id: string,
  closed: string[],
  how: () => Promise<void> | void = () => {}
): Plugin =>
  definePlugin({
    id,
    version: '1.0.0',
    register(app) {
      app.onClose(async () => {
        closed.push(id)
        await how()
      })
    }
  })

describe('closing', { concurrency: true }, () => {
  test('answers what is under way, then refuses', async t => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
    const { promise: answer, resolve: finish } = Promise.withResolvers<void>()
    const slow = definePlugin({
      id: 'slow',
      version: '1.0.0',
      register(app) {
        app.route({
          method: 'GET',
          path: '',
          auth: 'public',
          summary: 'x',
          response: Type.Object({ rows: Type.Integer() }),
          async handle() {
            arrive()
            await answer
            return { rows: (await app.db.raw('select 1')).rows.length }
          }
        })
      }
    })
    const app = await createTestApp(t, { plugins: [slow] })
    const asked = app.call('GET', '/v1/slow')
    await arrived
    const idle = openSocket(app.url)
    const idleClosed = new Promise(resolve => idle.once('close', resolve))
    await new Promise(resolve => idle.once('connect', resolve))
    const closed = app.close()
    await assert.rejects(fetch(`${app.url}/healthz`), 'a new connection')
    finish()
    const { status, body } = await asked
    assert.deepEqual([status, body], [200, { rows: 1 }])
    await Promise.all([closed, idleClosed])
    assert.equal(await app.close(), undefined, 'twice is once')
  })

  test('goes in reverse: what was opened last is closed first, and hooks still have the database', async t => {
    const closed: string[] = []
    const last = definePlugin({
      id: 'last',
      version: '1.0.0',
      register(app) {
        app.onClose(async () => {
          await app.db.raw('select 1')
          closed.push('last')
        })
      }
    })
    const app = await createTestApp(t, {
      plugins: [closing('first', closed), closing('second', closed), last]
    })
    await app.close()
    assert.deepEqual(closed, ['last', 'second', 'first'])
    await assert.rejects(app.db.raw('select 1'))
  })

  test('turns /readyz to 503 first', async t => {
    const states: unknown[] = []
    const probe = definePlugin({
      id: 'probe',
      version: '1.0.0',
      register(app) {
        app.raw('GET', '/probe', { summary: 'x', auth: 'public' }, ctx => {
          ctx.body = 'x'
        })
      }
    })
    const app = await createTestApp(t, { plugins: [probe] })
    const socket = openSocket(app.url)
    let text = ''
    socket.on('data', part => {
      text += String(part)
    })
    await new Promise(resolve => socket.once('connect', resolve))
    socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n')
    const received = new Promise<void>(resolve => {
      app.server?.once('request', () => resolve())
    })
    const closed = app.close()
    socket.write('\r\n')
    await received
    await closed
    states.push(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1], /"status":"(\w+)"/.exec(text)?.[1])
    assert.deepEqual(states, ['503', 'closing'])
  })
})

describe('closing for ever', () => {
  test('does not stop at a step that hangs or fails', async t => {
    const closed: string[] = []
    const lines: string[] = []
    const app = await createTestApp(t, {
      onLog: line => lines.push(line),
      plugins: [
        closing('first', closed),
        closing('hangs', closed, () => new Promise(() => {})),
        closing('fails', closed, () => {
          throw new Error('no luck')
        })
      ]
    })
    // The limit of a step is 15 s; the test does not want to wait that long.
    const { setTimeout: real } = globalThis
    t.mock.method(globalThis, 'setTimeout', ((
      run: (...rest: unknown[]) => void,
      ms?: number,
      ...rest: unknown[]
    ) => real(() => run(...rest), ms === 15_000 ? 50 : ms)) as typeof setTimeout)
    await app.close()
    assert.deepEqual(closed, ['fails', 'hangs', 'first'])
    assert.ok(
      lines.some(line => line.includes("closing 'hangs' took over 15 s")) &&
        lines.some(line => line.includes("closing 'fails' failed"))
    )
  })
})
