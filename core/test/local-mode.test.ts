import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createTestApp } from '../testing.ts'
import { foreignRequests } from './foreign-requests.ts'
import { rawRequest } from './raw-request.ts'
import { suiteApp } from './suite-app.ts'

describe('local mode', () => {
  const shared = suiteApp()
  const ask = (host: string, ...headers: readonly string[]): ReturnType<typeof rawRequest> =>
    rawRequest(shared.url, [
      'GET /v1/jobs HTTP/1.1',
      ...(host ? [`Host: ${host.replace('PORT', new URL(shared.url).port)}`] : []),
      ...headers.map(header => header.replace('PORT', new URL(shared.url).port))
    ])

  test('asks nobody for a token', async () => {
    const { status } = await shared.call('GET', '/v1/tokens')
    assert.equal(status, 200)
  })

  for (const host of [
    '127.0.0.1:PORT',
    '127.0.0.1',
    'localhost:PORT',
    'LOCALHOST:PORT',
    '127.9.8.7',
    '[::1]:PORT',
    '[::1]'
  ]) {
    test(`answers ${host}`, async () => assert.equal((await ask(host)).status, 200))
  }

  for (const host of [
    'rayne.example.com',
    '192.168.1.7:PORT',
    '0.0.0.0:PORT',
    '127.0.0.1.example.com',
    'localhost.example.com:PORT',
    'notlocalhost',
    'localhost:PORT.example.com',
    'user@localhost',
    '127.1',
    '2130706433',
    '[::ffff:127.0.0.1]',
    '[::]',
    'xn--localhost',
    'localhost,evil.example'
  ]) {
    test(`refuses a page that calls it ${host}`, async () => {
      const { status, body } = await ask(host)
      assert.ok(
        (status === 403 && body['type'] === 'urn:rayne:error:foreign-host') || status === 400,
        `${status}`
      )
      assert.equal(status === 403 ? body['error'] !== undefined : true, true)
    })
  }

  for (const origin of [
    'https://evil.example',
    'null',
    'http://localhost:1',
    'http://localhost:PORT.evil.example',
    'http://127.0.0.1.evil.example:PORT',
    'file://',
    '',
    'http://[::1]:PORT',
    'https://localhost:PORT'
  ]) {
    test(`refuses a page of ${origin || 'an empty origin'}`, async () => {
      const { status, body } = await ask('localhost:PORT', `Origin: ${origin}`)
      assert.deepEqual([status, body['type']], [403, 'urn:rayne:error:foreign-origin'])
    })
  }

  for (const [who, headers] of foreignRequests)
    test(`refuses ${who}`, async () => {
      const { host } = new URL(shared.url)
      for (const [method, path] of [
        ['GET', '/v1/jobs'],
        ['GET', '/healthz'],
        ['GET', '/docs'],
        ['POST', '/v1/tokens']
      ] as const) {
        const lines = Object.entries({ host, ...headers }).map(
          ([name, value]) => `${name}: ${value.replace('OWN', host)}`
        )
        const { status, body } = await rawRequest(shared.url, [
          `${method} ${path} HTTP/1.1`,
          ...lines
        ])
        assert.equal(status, 403, `${method} ${path}`)
        assert.match(
          String(body['type']),
          /^urn:rayne:error:(foreign-host|foreign-origin|forwarded)$/
        )
      }
    })

  test('a link to a page may be followed from anywhere', async () => {
    const followed = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate']
    assert.equal((await ask('localhost:PORT', ...followed, 'Sec-Fetch-Dest: document')).status, 200)
    assert.equal((await ask('localhost:PORT', 'Sec-Fetch-Site: same-origin')).status, 200)
    assert.equal((await ask('localhost:PORT', 'Sec-Fetch-Site: none')).status, 200)
  })

  test('lets its own pages ask', async () => {
    assert.equal((await ask('localhost:PORT', 'Origin: http://localhost:PORT')).status, 200)
    assert.equal((await ask('127.0.0.1:PORT', 'Origin: http://127.0.0.1:PORT')).status, 200)
  })

  test('refuses a foreign form before its body is read or its route looked up', async () => {
    for (const [method, path] of [
      ['POST', '/v1/tokens'],
      ['DELETE', '/v1/tokens/1'],
      ['GET', '/nothing'],
      ['OPTIONS', '/v1/tokens']
    ] as const) {
      const { status, headers } = await rawRequest(shared.url, [
        `${method} ${path} HTTP/1.1`,
        'Host: localhost',
        'Origin: https://evil.example',
        'Content-Type: text/plain',
        'Content-Length: 100'
      ])
      assert.equal(status, 403, `${method} ${path}`)
      assert.equal(headers['access-control-allow-origin'], undefined)
    }
  })

  test('refuses no host, and a foreign one before a right one', async () => {
    assert.ok([400, 403].includes((await ask('')).status))
    assert.ok([400, 403].includes((await ask('evil.example', 'Host: localhost')).status))
  })

  test('listens on IPv6 loopback too when it is told to', async t => {
    const app = await createTestApp(t, { env: { HOST: '::1' } })
    assert.match(app.url, /^http:\/\/\[::1\]:\d+$/)
    assert.equal((await app.call('GET', '/v1/jobs')).status, 200)
    assert.equal(
      (await rawRequest(app.url, ['GET /v1/jobs HTTP/1.1', 'Host: evil.example'])).status,
      403
    )
  })
})
