import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, test, type TestContext } from 'node:test'
import { createRateLimit } from '../auth/rate-limit.ts'
import { RayneError } from '../errors.ts'
import { bodyBudget } from '../http/body-budget.ts'
import { definePlugin, Type } from '../index.ts'
import { createTestApp } from '../testing.ts'
import { eventually } from './eventually.ts'

const megabyte = 1_048_576

const plugin = definePlugin({
  id: 'shares',
  version: '1.0.0',
  register(app) {
    const answer = Type.Object({ bytes: Type.Integer() })
    for (const auth of ['ingest', 'public'] as const)
      app.route({
        method: 'POST',
        path: `/${auth}`,
        auth,
        summary: 'x',
        rawBody: true,
        maxBodyBytes: 2 * bodyBudget.address,
        response: answer,
        handle: ({ body }) => ({ bytes: body.length })
      })
  }
})

interface Told {
  readonly status: number
  readonly retryAfter: string | undefined
}

/** A connection from one of this machine's own addresses. */
function open(t: TestContext, url: string, localAddress: string): Socket {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port), localAddress })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}

const head = (bytes: number, more = ''): string =>
  `POST /v1/shares/public HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${bytes}\r\n${more}\r\n`

/** Posts a body on a connection and reads the answer to its end. */
async function post(socket: Socket, bytes: number): Promise<Told> {
  let text = ''
  socket.on('data', part => {
    text += String(part)
  })
  socket.write(head(bytes, 'connection: close\r\n'))
  if (bytes > 0) socket.write(Buffer.alloc(bytes))
  await once(socket, 'close')
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]),
    retryAfter: /^retry-after: (\d+)/im.exec(text)?.[1]
  }
}

describe('bodies under way', () => {
  test('of one address leave room for those of others, and come to an end', async t => {
    const app = await createTestApp(t, { plugins: [plugin] })
    const held = open(t, app.url, '127.0.0.1')
    const almost = bodyBudget.address - megabyte
    held.write(head(almost + 1))
    // Before all of it has been read there is room for another.
    await new Promise(resolve => held.write(Buffer.alloc(almost), resolve))
    const refusal = async (): Promise<boolean> => {
      const { status, retryAfter } = await post(open(t, app.url, '127.0.0.1'), 2 * megabyte)
      return status === 503 && retryAfter === '1'
    }
    await eventually('a refusal', refusal, 60_000)
    const small = await post(open(t, app.url, '127.0.0.1'), 1_000)
    const other = await post(open(t, app.url, '127.0.0.2'), 2 * megabyte)
    assert.deepEqual([small.status, other.status], [200, 200])
    held.destroy()
    await eventually('room', async () => {
      return (await post(open(t, app.url, '127.0.0.1'), 2 * megabyte)).status === 200
    })
  })

  test('give back what they held when they are answered', async t => {
    const app = await createTestApp(t, { plugins: [plugin] })
    for (let n = 0; n < 6; n++) {
      const { status } = await post(open(t, app.url, '127.0.0.1'), bodyBudget.address / 4)
      assert.equal(status, 200, `the ${n}th`)
    }
  })
})

describe('connections of one address', () => {
  const limited = { RAYNE_ADDRESS_CONNECTIONS: '3' }

  test('are counted, and another address is served', async t => {
    const app = await createTestApp(t, { plugins: [plugin], env: limited })
    const held = [1, 2, 3].map(() => open(t, app.url, '127.0.0.1'))
    for (const socket of held) await once(socket, 'connect')
    const fourth = await post(open(t, app.url, '127.0.0.1'), 0)
    assert.deepEqual(fourth, { status: 503, retryAfter: '1' })
    assert.equal((await post(open(t, app.url, '127.0.0.2'), 0)).status, 200)
    held[0]?.destroy()
    await eventually('a place', async () => {
      return (await post(open(t, app.url, '127.0.0.1'), 0)).status === 200
    })
  })

  test('are not counted for a trusted proxy', async t => {
    const env = { ...limited, RAYNE_AUTH: 'required', RAYNE_TRUSTED_PROXIES: '127.0.0.0/8' }
    const app = await createTestApp(t, { plugins: [plugin], env })
    for (let n = 0; n < 5; n++) await once(open(t, app.url, '127.0.0.1'), 'connect')
    assert.equal((await post(open(t, app.url, '127.0.0.1'), 0)).status, 200)
  })
})

describe('requests of one token', () => {
  test('are refused beyond the rate, with a time to wait', () => {
    let now = 0
    const spend = createRateLimit(10, () => now)
    const refused = (id: string): number | undefined => {
      try {
        spend(id)
        return undefined
      } catch (error) {
        assert.ok(error instanceof RayneError && error.status === 429)
        return error.details.retryAfterSeconds
      }
    }
    for (let n = 0; n < 20; n++) assert.equal(refused('a'), undefined)
    assert.equal(refused('a'), 0.1)
    assert.equal(refused('b'), undefined)
    now += 100
    assert.equal(refused('a'), undefined)
    assert.notEqual(refused('a'), undefined)
    now += 3_600_000
    for (let n = 0; n < 20; n++) assert.equal(refused('a'), undefined)
    assert.notEqual(refused('a'), undefined)
  })

  test('of a sender are limited, those of another and of people are not', async t => {
    const env = { RAYNE_AUTH: 'required', RAYNE_INGEST_RATE: '1' }
    const app = await createTestApp(t, { plugins: [plugin], env })
    const bearer = async (...scopes: string[]) => {
      const { token } = await app.store.addToken(scopes.join(), scopes)
      return () =>
        app.call<object>('POST', '/v1/shares/ingest', {}, { authorization: `Bearer ${token}` })
    }
    const flood = await bearer('ingest')
    const started = performance.now()
    const answers = await Promise.all(Array.from({ length: 60 }, flood))
    const passed = answers.filter(answer => answer.status === 200).length
    assert.ok(passed >= 2 && passed <= 3 + (performance.now() - started) / 1000, `${passed} passed`)
    const refused = answers.filter(answer => answer.status === 429)
    assert.equal(refused.length, answers.length - passed)
    for (const { headers } of refused) assert.equal(headers.get('retry-after'), '1')
    assert.equal((await (await bearer('ingest'))()).status, 200)
    const admin = await bearer('admin')
    for (let n = 0; n < 10; n++) assert.equal((await admin()).status, 200)
  })
})
