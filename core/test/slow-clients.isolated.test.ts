import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { describe, test } from 'node:test'
import { definePlugin } from '../index.ts'
import { openSocket } from './raw-request.ts'
import { suiteApp } from './suite-app.ts'

const megabytes = 40
const plugin = definePlugin({
  id: 'slow',
  version: '1.0.0',
  register(app) {
    app.raw('GET', '/big', { summary: 'x', auth: 'public' }, ctx => {
      ctx.body = Buffer.alloc(megabytes * 1_048_576)
    })
  }
})

/** The server looks for expired requests every 5 s, so what is over its limit is gone within the limit and 5 s more. */
describe('a client that is slow is let go', { concurrency: true }, () => {
  const shared = suiteApp({ plugins: [plugin] })
  const server = (): Server => {
    const found = shared.app.server
    assert.ok(found)
    return found
  }

  test('limits are those of the architecture', () => {
    const { headersTimeout, requestTimeout, keepAliveTimeout, timeout, maxConnections } = server()
    assert.deepEqual(
      { headersTimeout, requestTimeout, keepAliveTimeout, timeout, maxConnections },
      {
        headersTimeout: 10_000,
        requestTimeout: 30_000,
        keepAliveTimeout: 5_000,
        timeout: 60_000,
        maxConnections: 10_000
      }
    )
    // The tests below want to see the same within seconds.
    Object.assign(server(), { headersTimeout: 1_000, requestTimeout: 2_000, timeout: 4_000 })
  })

  /** Writes the parts at once and says what came back before the server closed, and when. */
  async function talk(...parts: readonly string[]): Promise<{ text: string; ms: number }> {
    const started = performance.now()
    const socket = openSocket(shared.url)
    let text = ''
    socket.on('data', part => {
      text += String(part)
    })
    for (const part of parts) socket.write(part)
    const trickle = parts.length > 1 ? setInterval(() => socket.write('x'), 300) : undefined
    await once(socket, 'close')
    clearInterval(trickle)
    return { text: text.slice(0, 200), ms: performance.now() - started }
  }

  test('when it says nothing at all', async () => {
    assert.ok((await talk()).ms < 8_000)
  })

  test('when its headers do not end', async () => {
    const { text, ms } = await talk('GET /healthz HTTP/1.1\r\nHost: localhost\r\n', 'X-Slow: ')
    assert.match(text, /^HTTP\/1\.1 408 /)
    assert.ok(ms < 8_000, `${ms} ms`)
  })

  test('when its body does not end', async () => {
    const { text, ms } = await talk(
      'POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n',
      '{"name":"'
    )
    assert.match(text, /^HTTP\/1\.1 408 |^$/)
    assert.ok(ms < 9_000, `${ms} ms`)
  })

  test('when it keeps a connection and does not use it', async () => {
    const { text, ms } = await talk('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.match(text, /^HTTP\/1\.1 200 OK/)
    assert.ok(ms > 3_000 && ms < 9_000, `${ms} ms`)
  })

  test('when it closes its half and waits', async () => {
    const started = performance.now()
    const socket = openSocket(shared.url)
    socket.on('data', () => {})
    socket.end('GET /healthz HTTP/1.1\r\nHost: localhost\r\n')
    await once(socket, 'close')
    assert.ok(performance.now() - started < 8_000)
  })

  test('when it does not read its answer', async () => {
    const socket = openSocket(shared.url)
    await once(socket, 'connect')
    const served = new Promise<void>(resolve => {
      server().once('request', (_request, response) => {
        response.once('close', resolve)
      })
    })
    socket.pause()
    socket.write('GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n')
    const started = performance.now()
    await served
    assert.ok(performance.now() - started < 9_000)
    socket.destroy()
  })
})
