import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isForbidden, post } from '../service/post.ts'
import { startReceiver } from './receiver.ts'

const signal = (): AbortSignal => AbortSignal.timeout(20_000)

test('nothing is sent to addresses that hand out credentials, however they are written', async () => {
  for (const host of [
    '169.254.169.254',
    '0251.0376.0251.0376',
    '0xa9fea9fe',
    '2852039166',
    '[::ffff:169.254.169.254]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '100.100.100.200',
    '0.0.0.0',
    '224.0.0.1'
  ])
    await assert.rejects(
      post(`http://${host}/latest/meta-data`, '{}', {}, signal()),
      { code: 'address-forbidden' },
      host
    )
  assert.equal(isForbidden('192.168.1.7'), false)
  assert.equal(isForbidden('127.0.0.1'), false)
})

test('a redirect is refused and not followed', async t => {
  const target = await startReceiver(t)
  const { url } = await startReceiver(t, [], { status: 307, headers: { location: target.url } })
  await assert.rejects(post(url, '{}', {}, signal()), {
    code: 'channel-refused',
    message: /a redirect, which is not followed/
  })
  assert.equal(target.got.length, 0)
})

test('what may pass is told from what will not, with the seconds a service asks for', async t => {
  const later = new Date(Date.now() + 90_000).toUTCString()
  for (const [status, header, code, seconds] of [
    [400, undefined, 'channel-refused', undefined],
    [404, undefined, 'channel-refused', undefined],
    [408, undefined, 'channel-unavailable', undefined],
    [429, '7', 'channel-unavailable', 7],
    [503, '99999999', 'channel-unavailable', 86_400],
    [500, 'soon', 'channel-unavailable', undefined]
  ] as const) {
    const headers: Record<string, string> = header === undefined ? {} : { 'retry-after': header }
    const { url } = await startReceiver(t, [], { status, headers, body: 'why\nnot' })
    const error = await post(url, '{}', {}, signal()).catch((thrown: unknown) => thrown)
    const {
      code: found,
      details,
      message
    } = error as {
      code: string
      message: string
      details: { retryAfterSeconds?: number }
    }
    assert.deepEqual([found, details.retryAfterSeconds], [code, seconds], `${status}`)
    assert.match(message, new RegExp(`answered ${status}: why not`))
  }
  const { url } = await startReceiver(t, [], { status: 429, headers: { 'retry-after': later } })
  await assert.rejects(post(url, '{}', {}, signal()), (error: { details: object }) => {
    const { retryAfterSeconds } = error.details as { retryAfterSeconds: number }
    return retryAfterSeconds > 60 && retryAfterSeconds <= 91
  })
  await assert.rejects(post('http://127.0.0.1:1', '{}', {}, signal()), {
    code: 'channel-unavailable'
  })
})

test('an answer without end is read to its bound', async t => {
  const { url } = await startReceiver(t, [], { body: 'x'.repeat(5_000_000) })
  const { text } = await post(url, '{}', {}, signal())
  assert.ok(text.length <= 65_536)
})
