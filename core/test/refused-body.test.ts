import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { definePlugin, Type } from '../index.ts'
import { openSocket } from './raw-request.ts'
import { suiteApp } from './suite-app.ts'

const Anything = Type.Object({}, { additionalProperties: true })
const plugin = definePlugin({
  id: 'items',
  version: '1.0.0',
  register(app) {
    for (const path of ['/take', '/take/{name}'] as const)
      app.route({
        method: 'POST',
        path,
        auth: 'public',
        summary: 'x',
        params: Anything,
        rawBody: true,
        maxBodyBytes: 1_000,
        response: Anything,
        handle: ({ body }) => ({ bytes: body.length })
      })
  }
})

describe('a body that is refused', () => {
  const shared = suiteApp({ plugins: [plugin] })
  const url = (): string => shared.url

  /** Sends all of a body before it reads a byte of the answer, as many senders do. */
  async function sendFirst(path: string, bytes: number, chunked: boolean): Promise<string> {
    const socket = openSocket(url())
    socket.pause()
    const length = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${bytes}`
    socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\n${length}\r\n\r\n`)
    const piece = Buffer.alloc(65_536, 97)
    const failed = new Promise(resolve => socket.once('close', resolve))
    for (let left = bytes; left > 0; left -= piece.length) {
      const part = piece.subarray(0, Math.min(left, piece.length))
      const framed = chunked
        ? Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
        : part
      if (!socket.write(framed)) await Promise.race([once(socket, 'drain').catch(() => {}), failed])
    }
    if (chunked) socket.write('0\r\n\r\n')
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
      if (text.endsWith('}')) socket.destroy()
    })
    socket.resume()
    await failed
    return text
  }

  for (const path of ['/v1/items/take', '/v1/items/take/x'])
    for (const [what, bytes, chunked] of [
      ['a little over', 1_001, false],
      ['of megabytes', 5_000_000, false],
      ['of megabytes in chunks', 5_000_000, true]
    ] as const)
      test(`${what} at ${path} is answered to who sends it whole before it reads`, async () => {
        const answer = await sendFirst(path, bytes, chunked)
        assert.match(answer, /^HTTP\/1\.1 413 /)
        assert.match(answer, /"type":"urn:rayne:error:body-too-large"/)
      })

  test('and never ends is cut off, and the server goes on', async () => {
    const socket = openSocket(url())
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.write(
      'POST /v1/items/take HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n'
    )
    socket.resume()
    const piece = Buffer.alloc(262_144, 97)
    const framed = Buffer.concat([Buffer.from('40000\r\n'), piece, Buffer.from('\r\n')])
    let sent = 0
    while (!socket.destroyed && sent < 400_000_000) {
      sent += framed.length
      if (!socket.write(framed)) await Promise.race([once(socket, 'drain').catch(() => {}), closed])
    }
    await closed
    assert.ok(sent < 100_000_000, `${sent} bytes were taken in`)
    const answer = await fetch(`${url()}/v1/items/take`, { method: 'POST', body: 'abc' })
    assert.deepEqual(await answer.json(), { bytes: 3 })
  })
})
