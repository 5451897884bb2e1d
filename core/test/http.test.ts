import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { describe, test } from 'node:test'
import { brotliCompressSync, constants, deflateSync, gzipSync } from 'node:zlib'
import { definePlugin, RayneError, reply, Type, type PluginApp } from '../index.ts'
import { createTestApp } from '../testing.ts'
import { openSocket, rawRequest } from './raw-request.ts'
import { suiteApp } from './suite-app.ts'

const Item = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    size: Type.Optional(Type.Integer({ minimum: 0 })),
    tags: Type.Optional(Type.Array(Type.String())),
    extra: Type.Optional(Type.Object({}, { additionalProperties: true }))
  },
  { additionalProperties: false }
)
const Anything = Type.Object({}, { additionalProperties: true })

const plugin = definePlugin({
  id: 'items',
  version: '1.0.0',
  register(app) {
    takingRoutes(app)
    askingRoutes(app)
    failingRoutes(app)
  }
})

const common = {
  auth: 'public',
  summary: 'x',
  response: Anything,
  maxBodyBytes: 1_048_576
} as const

function takingRoutes(app: PluginApp<unknown>): void {
  app.route({
    ...common,
    method: 'POST',
    path: '',
    body: Item,
    status: 201,
    handle: ({ body }) => ({ ...body, polluted: ({} as { polluted?: unknown }).polluted ?? null })
  })
  app.route({
    ...common,
    method: 'POST',
    path: '/raw',
    rawBody: true,
    maxBodyBytes: 2_000,
    handle: ({ body }) => ({ bytes: (body as Buffer).length })
  })
  app.route({
    ...common,
    method: 'POST',
    path: '/optional',
    body: Type.Unknown(),
    handle: ({ body }) => ({ body: body ?? null })
  })
}

function askingRoutes(app: PluginApp<unknown>): void {
  app.route({
    ...common,
    method: 'GET',
    path: '',
    query: Type.Object(
      { page: Type.Integer({ minimum: 1, default: 1 }), on: Type.Optional(Type.Boolean()) },
      { additionalProperties: false }
    ),
    handle: ({ query }) => query
  })
  app.route({
    ...common,
    method: 'GET',
    path: '/{id}',
    params: Type.Object({ id: Type.String({ pattern: '^\\d+$' }) }),
    handle: ({ params, requestId }) => ({ ...params, requestId })
  })
  app.route({
    ...common,
    method: 'DELETE',
    path: '/{id}',
    params: Type.Object({ id: Type.Integer() }),
    status: 204,
    response: Type.Null(),
    handle: () => undefined as never
  })
  app.route({
    ...common,
    method: 'GET',
    path: '/text/{text}',
    params: Type.Object({ text: Type.String() }),
    handle: ({ params }) => params
  })
}

function failingRoutes(app: PluginApp<unknown>): void {
  app.route({
    ...common,
    method: 'GET',
    path: '/fail/own',
    handle: () => {
      throw new RayneError({
        code: 'no-luck',
        status: 409,
        message: 'no luck today',
        details: { retryAfterSeconds: 7, hint: 'tomorrow' }
      })
    }
  })
  app.route({
    ...common,
    method: 'GET',
    path: '/fail/bug',
    handle: () => {
      throw new TypeError('inner workings of /etc/rayne')
    }
  })
  app.route({
    ...common,
    method: 'GET',
    path: '/fail/breach',
    response: Type.Object({ count: Type.Integer() }),
    handle: () => ({ count: 'inner' as unknown as number })
  })
  app.route({
    ...common,
    method: 'GET',
    path: '/fail/replied',
    handle: () => reply(202, { well: 'replied' }, { 'x-own': 'yes' })
  })
}

describe('http', () => {
  const shared = suiteApp({ plugins: [plugin] })
  const { call, lines } = shared
  const url = (): string => shared.url

  describe('what is wrong is named', () => {
    const wrong: readonly (readonly [string, unknown, readonly string[]])[] = [
      ['nothing', {}, ['/body/name']],
      ['a type', { name: 7 }, ['/body/name']],
      ['a bound', { name: 'a', size: -1 }, ['/body/size']],
      ['a stranger', { name: 'a', 'a/b~c': 1 }, ['/body/a~1b~0c']],
      ['an element', { name: 'a', tags: ['x', 5] }, ['/body/tags/1']],
      ['two things', { name: '', size: 1.5 }, ['/body/name', '/body/size']],
      ['no object', '[]', ['/body']],
      ['null', 'null', ['/body']],
      ['a number', '5', ['/body']]
    ]
    for (const [what, body, pointers] of wrong) {
      test(`in a body: ${what}`, async () => {
        const answer = await call('POST', '/v1/items', body)
        assert.equal(answer.status, 400)
        assert.equal(answer.body['type'], 'urn:rayne:error:invalid-input')
        assert.deepEqual(
          (answer.body['errors'] as { pointer: string }[]).map(error => error.pointer).toSorted(),
          pointers.toSorted()
        )
      })
    }
    test('in a large body: the first thing, and not a million', async () => {
      const answer = await call('POST', '/v1/items', { name: 'a', tags: Array(70_000).fill(5) })
      assert.equal(answer.status, 400)
      assert.deepEqual(answer.body['errors'], [
        { pointer: '/body/tags/0', message: 'must be string' }
      ])
    })
    for (const [where, pointer] of [
      ['?page=0', '/query/page'],
      ['?page=x', '/query/page'],
      ['?pages=1', '/query/pages'],
      ['?page=1&page=2', '/query/page'],
      ['?on=maybe', '/query/on'],
      ['/abc', '/path/id']
    ] as const) {
      test(`in the address: ${where}`, async () => {
        const { status, body } = await call('GET', `/v1/items${where}`)
        assert.equal(status, 400)
        assert.equal((body['errors'] as { pointer: string }[])[0]?.pointer, pointer)
      })
    }
    for (const body of [
      '{',
      '{"name":}',
      "{'name':'a'}",
      '{"name":"a"',
      'name=a',
      '[',
      '['.repeat(200_000),
      '{"name":"a"}{}',
      '\u0000'
    ]) {
      test(`in JSON: ${JSON.stringify(body.slice(0, 20))}`, async () => {
        const answer = await call('POST', '/v1/items', body)
        assert.equal(answer.status, 400)
        assert.equal(answer.body['type'], 'urn:rayne:error:invalid-json')
        assert.deepEqual(answer.body['errors'], [
          { pointer: '/body', message: 'is not valid JSON' }
        ])
      })
    }
    test('no body at all is a missing field', async () =>
      assert.equal((await call('POST', '/v1/items')).status, 400))
    test('in an address that cannot be decoded', async () => {
      const answers = await Promise.all(
        ['/v1/items/text/%ZZ', '/v1/items/text/%', '/v1/items/text/%C0%AF'].map(path =>
          rawRequest(url(), [`GET ${path} HTTP/1.1`, 'Host: localhost'])
        )
      )
      for (const { status } of answers) assert.ok(status < 500, String(status))
    })
  })

  test('what is right is understood', async () => {
    assert.deepEqual((await call('POST', '/v1/items', { name: 'a', size: 2 })).body, {
      name: 'a',
      size: 2,
      polluted: null
    })
    assert.equal((await call('POST', '/v1/items', { name: 'a' })).status, 201)
    assert.deepEqual((await call('POST', '/v1/items', `\uFEFF{"name":"a"}`)).status, 201)
    assert.deepEqual((await call('GET', '/v1/items')).body, { page: 1 })
    assert.deepEqual((await call('GET', '/v1/items?page=3&on=true')).body, { page: 3, on: true })
    assert.deepEqual((await call('GET', '/v1/items/text/a%2Fb%20c')).body, { text: 'a/b c' })
    const deleted = await call('DELETE', '/v1/items/7')
    assert.deepEqual([deleted.status, deleted.body], [204, undefined])
    const replied = await call('GET', '/v1/items/fail/replied')
    assert.deepEqual(
      [replied.status, replied.body, replied.headers.get('x-own')],
      [202, { well: 'replied' }, 'yes']
    )
  })

  test('a content type is not asked for', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-8',
      'nonsense',
      'application/vnd.x+json'
    ])
      assert.equal(
        (await call('POST', '/v1/items', { name: 'a' }, { 'content-type': type })).status,
        201,
        type
      )
    const none = await rawRequest(
      url(),
      ['POST /v1/items HTTP/1.1', 'Host: localhost', 'Content-Length: 12'],
      '{"name":"a"}'
    )
    assert.equal(none.status, 201)
  })

  test('prototypes cannot be reached', async () => {
    const bodies = [
      '{"name":"a","__proto__":{"polluted":true}}',
      '{"name":"a","extra":{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}}',
      '{"name":"a","extra":{"\\u005f_proto__":{"polluted":true}}}'
    ]
    for (const body of bodies) {
      const answer = await call('POST', '/v1/items', body)
      assert.deepEqual([answer.status, answer.body['polluted']], [201, null], body)
    }
    assert.equal(({} as { polluted?: unknown }).polluted, undefined)
    assert.equal((await call('POST', '/v1/items', '{"__proto__":{"name":"a"}}')).status, 400)
    assert.ok((await call('GET', '/v1/items?__proto__[x]=1')).status === 400)
  })

  describe('bodies that are too large are refused with 413', () => {
    const big = 1_100_000
    const bomb = Buffer.alloc(30_000_000)
    const send = (
      encoding: string,
      bytes: Uint8Array,
      path = '/v1/items'
    ): Promise<{ status: number; body: Record<string, unknown> }> =>
      call('POST', path, bytes, { 'content-encoding': encoding })

    test('by their declared length, before they are sent', async () => {
      const { status, headers } = await rawRequest(url(), [
        'POST /v1/items HTTP/1.1',
        'Host: localhost',
        `Content-Length: ${big}`
      ])
      assert.deepEqual([status, headers['connection']], [413, 'close'])
    })
    test('when they come in chunks', async () => {
      const chunk = `${(65_536).toString(16)}\r\n${'a'.repeat(65_536)}\r\n`
      assert.equal(
        (
          await rawRequest(
            url(),
            ['POST /v1/items HTTP/1.1', 'Host: localhost', 'Transfer-Encoding: chunked'],
            chunk.repeat(17) + '0\r\n\r\n'
          )
        ).status,
        413
      )
    })
    test("by the route's own limit", async () => {
      assert.equal(
        (await call('POST', '/v1/items/raw', new Uint8Array(2_000))).body['bytes'],
        2_000
      )
      assert.equal((await call('POST', '/v1/items/raw', new Uint8Array(2_001))).status, 413)
    })
    for (const [encoding, compress] of [
      ['gzip', gzipSync],
      ['deflate', deflateSync],
      [
        'br',
        (bytes: Buffer) =>
          brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } })
      ]
    ] as const) {
      test(`after decompression: ${encoding}`, async () => {
        const small = compress(Buffer.from('{"name":"a"}'))
        assert.equal((await send(encoding, small)).status, 201)
        const before = process.memoryUsage().arrayBuffers
        const { status, body } = await send(encoding, compress(bomb))
        assert.deepEqual([status, body['type']], [413, 'urn:rayne:error:body-too-large'])
        assert.ok(process.memoryUsage().arrayBuffers - before < 20_000_000, 'the bomb was unpacked')
      })
    }
    test('and what is not what it says is a 400', async () => {
      for (const [encoding, bytes] of [
        ['gzip', Buffer.from('not gzip')],
        ['gzip', gzipSync('{"name":"abcdefgh"}').subarray(0, 20)],
        ['deflate', Buffer.from('no')],
        ['br', Buffer.from('not brotli at all')]
      ] as const) {
        const { status, body } = await send(encoding, bytes)
        assert.deepEqual(
          [status, body['type']],
          [400, 'urn:rayne:error:body-invalid'],
          `${encoding} ${String(bytes)}`
        )
      }
    })
    test('and an unknown encoding is a 415', async () =>
      assert.deepEqual(
        (await send('zstd', Buffer.from('x'))).body['type'],
        'urn:rayne:error:encoding-unsupported'
      ))
    test('and a body cut short is no 500', async () => {
      const before = lines.length
      const socket = openSocket(url())
      const arrived = new Promise<IncomingMessage>(resolve => {
        shared.app.server?.once('request', resolve)
      })
      socket.write(
        'POST /v1/items HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"name"'
      )
      const request = await arrived
      socket.destroy()
      await new Promise(resolve => request.socket.once('close', resolve))
      assert.equal((await call('GET', '/healthz')).status, 200)
      assert.ok(!lines.slice(before).some(line => line.includes('"level":50')))
    })
  })

  test('HEAD answers like GET, without the body', async () => {
    const response = await fetch(`${url()}/v1/items/7`, { method: 'HEAD' })
    assert.deepEqual(
      [response.status, await response.text(), response.headers.get('content-type')],
      [200, '', 'application/json; charset=utf-8']
    )
    assert.ok(Number(response.headers.get('content-length')) > 0)
    assert.equal((await fetch(`${url()}/nothing`, { method: 'HEAD' })).status, 404)
  })

  test('what is not there is a 404, a wrong method a 405 that says which are right', async () => {
    const missing = await call('GET', '/v2/nothing')
    assert.deepEqual(
      [missing.status, missing.body['type']],
      [404, 'urn:rayne:error:route-not-found']
    )
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'PROPFIND']) {
      const { status, headers, body } = await call(method, '/v1/items/7')
      assert.deepEqual([status, body['type']], [405, 'urn:rayne:error:method-not-allowed'], method)
      assert.deepEqual(headers.get('allow')?.split(', ').toSorted(), ['DELETE', 'GET'], method)
    }
    assert.equal((await call('GET', '/v1/items/')).status, 200)
  })

  test('an error is a problem with a top-level error text', async () => {
    const { status, body, headers } = await call('GET', '/v1/items/fail/own')
    assert.equal(status, 409)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.equal(headers.get('retry-after'), '7')
    assert.deepEqual(body, {
      hint: 'tomorrow',
      type: 'urn:rayne:error:no-luck',
      title: 'no luck',
      status: 409,
      detail: 'no luck today',
      error: 'no luck today',
      request_id: headers.get('x-request-id')
    })
  })

  for (const [what, path] of [
    ['a bug', '/v1/items/fail/bug'],
    ['a broken response schema', '/v1/items/fail/breach']
  ] as const) {
    test(`${what} is a bare 500; the log has the stack under the request's id`, async () => {
      const { status, body } = await call('GET', path, undefined, {
        'x-request-id': `look-${what.length}-here`
      })
      assert.deepEqual([status, body['type']], [500, 'urn:rayne:error:internal'])
      assert.deepEqual(Object.keys(body).toSorted(), [
        'detail',
        'error',
        'request_id',
        'status',
        'title',
        'type'
      ])
      assert.doesNotMatch(JSON.stringify(body), /inner|\.ts|TypeError/)
      const line = JSON.parse(lines.find(one => one.includes(`look-${what.length}-here`)) ?? '{}')
      assert.match(line.error.stack, /inner workings|broke its response schema/)
    })
  }

  test('every answer has a request id: a sane one of the caller, or a new one', async () => {
    const id = async (given?: string): Promise<string> =>
      (
        await call('GET', '/healthz', undefined, given ? { 'x-request-id': given } : {})
      ).headers.get('x-request-id') ?? ''
    assert.equal(await id('abcd-1234'), 'abcd-1234')
    assert.equal(
      (await call('GET', '/v1/items/7', undefined, { 'x-request-id': 'abcd-1234' })).body[
        'requestId'
      ],
      'abcd-1234'
    )
    for (const bad of [
      'short',
      'a'.repeat(65),
      'with space here',
      '<script>alert</script>',
      undefined
    ])
      assert.match(await id(bad), /^[0-9a-f-]{36}$/)
  })

  test('metrics count by route template, never by address', async () => {
    await call('GET', '/v1/items/123456')
    const text = await (await fetch(`${url()}/metrics`)).text()
    assert.match(
      text,
      /rayne_http_request_seconds_count\{method="GET",route="\/v1\/items\/\{id\}",status="200"\} \d+/
    )
    assert.ok(!text.includes('123456') && text.includes('route="unmatched"'))
  })

  test('jobs cannot be asked for with what the database refuses', async () => {
    for (const query of [
      'name=%00',
      'page=9007199254740991',
      'page=1e300',
      'per_page=101',
      'state=gone'
    ])
      assert.equal((await call('GET', `/v1/jobs?${query}`)).status, 400, query)
    assert.equal(
      (await call('POST', '/v1/jobs/6c84fb90-12c4-11e1-840d-7b25c5ee775a/retry')).status,
      404
    )
    assert.equal((await call('POST', '/v1/jobs/7/retry')).status, 400)
  })

  test('a port that is taken is a sentence', async t => {
    await assert.rejects(
      createTestApp(t, { env: { PORT: new URL(url()).port } }),
      /port \d+ on 127\.0\.0\.1 is taken: .* set PORT/
    )
  })
})
