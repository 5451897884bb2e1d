import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import plugin from '../plugin.ts'
import { proxiedFetch } from '../service/client/environment-proxy.ts'
import { call, keys, type Account } from './account-calls.ts'
import { homeOf } from './two-sites.ts'
import { simulatedApp } from './proxy-app.ts'

interface Proxy {
  readonly url: string
  /** What it was asked to reach, and all it was told. */
  readonly asked: { readonly what: string; readonly headers: IncomingHttpHeaders }[]
}

/** A proxy that notes what it is asked for and lets nothing through. */
async function startProxy(t: TestContext): Promise<Proxy> {
  const asked: Proxy['asked'] = []
  const server = createServer((request, response) => {
    asked.push({ what: `${request.method} ${request.url}`, headers: request.headers })
    response.writeHead(503).end()
  })
  server.on('connect', (request, socket) => {
    asked.push({ what: `CONNECT ${request.url}`, headers: request.headers })
    socket.end('HTTP/1.1 503 no way out\r\n\r\n')
  })
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  return { url: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test('Datadog is reached through HTTPS_PROXY, which learns no key; its failure says so', async t => {
  const proxy = await startProxy(t)
  for (const HTTPS_PROXY of [
    `http://${proxy.url}`,
    `http://user:secret-of-the-proxy@${proxy.url}`,
    proxy.url
  ]) {
    proxy.asked.length = 0
    const app = await createTestApp(t, {
      plugins: [plugin],
      env: { RAYNE_HOME: homeOf(t), HTTPS_PROXY }
    })
    await call<Account>(app, 'POST', '/v1/accounts', { name: 'a', ...keys, site: 'datadoghq.eu' })
    const { body } = await call<{ valid: boolean; message: string }>(
      app,
      'POST',
      '/v1/accounts/a/test'
    )
    assert.equal(body.valid, false)
    assert.match(body.message, /^connection failed: Datadog \(datadoghq\.eu, through HTTPS_PROXY\)/)
    assert.doesNotMatch(body.message, /secret-of-the-proxy/)
    assert.ok(proxy.asked.length > 0)
    for (const { what, headers } of proxy.asked) {
      assert.equal(what, 'CONNECT api.datadoghq.eu:443')
      assert.doesNotMatch(JSON.stringify(headers), /key-of-a-test/)
    }
  }
})

test('nothing on this machine goes through a proxy', async t => {
  const proxy = await startProxy(t)
  const HTTPS_PROXY = `http://${proxy.url}`
  const { get } = await simulatedApp(t, { env: { HTTPS_PROXY, HTTP_PROXY: HTTPS_PROXY } })
  assert.equal((await get('/v1/hosts/active')).status, 200)
  assert.deepEqual(proxy.asked, [])
})

test('NO_PROXY is honoured, no address is no proxy, and one that cannot be used is refused by name', async t => {
  const proxy = await startProxy(t)
  const server = createServer((_request, response) => response.end('here'))
  await new Promise<void>(resolve => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const init = {
    method: 'GET',
    headers: {},
    signal: AbortSignal.timeout(10_000),
    redirect: 'manual'
  } as const
  assert.equal((await proxiedFetch(proxy.url, 'a.example,127.0.0.1')?.(url, init))?.status, 200)
  assert.deepEqual(proxy.asked, [])
  await proxiedFetch(proxy.url, 'a.example')?.(url, init).catch(() => {})
  assert.equal(proxy.asked.length, 1)
  assert.equal(proxiedFetch(' ', ''), undefined)
  for (const wrong of [
    'socks5://user:secret-of-the-proxy@127.0.0.1:1080',
    'http://',
    'not an address'
  ])
    assert.throws(
      () => proxiedFetch(wrong, ''),
      (error: Error) => {
        assert.match(error.message, /^HTTPS_PROXY is not the address of an HTTP proxy/)
        assert.doesNotMatch(error.message, /secret-of-the-proxy/)
        return true
      }
    )
})
