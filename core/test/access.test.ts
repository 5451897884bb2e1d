import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { definePlugin, Type } from '../index.ts'
import { eventually } from './eventually.ts'
import { suiteApp } from './suite-app.ts'

const secrets = ['first-ingest-secret-0001', 'second-ingest-secret-0002']
const password = 'correct horse battery'
const classes = {
  public: 'public',
  ingest: 'ingest',
  user: 'user',
  admin: 'admin',
  tools: 'scope:tools'
} as const
const answer = Type.Object({ name: Type.String(), kind: Type.String() })

const plugin = definePlugin({
  id: 'doors',
  version: '1.0.0',
  register(app) {
    for (const [name, auth] of Object.entries(classes))
      for (const method of ['GET', 'POST'] as const) {
        app.route({
          method,
          path: `/${name}`,
          auth,
          summary: 'x',
          response: answer,
          handle: ({ principal }) => ({ name: principal.name, kind: principal.kind })
        })
      }
  }
})

type Headers = Record<string, string>
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const basic = (text: string): Headers => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`
})
const tokenOf = (token: string): Headers => ({ 'x-rayne-token': token })

describe('protected mode', () => {
  const shared = suiteApp({
    plugins: [plugin],
    env: { RAYNE_AUTH: 'required', RAYNE_INGEST_SECRETS: secrets.join(',') }
  })
  const { call } = shared
  const who: Record<string, Headers> = {}
  const session = (value: string): Headers => ({
    cookie: `theme=dark; rayne_session=${value}`,
    origin: new URL(shared.url).origin
  })
  const addToken = async (...scopes: string[]): Promise<{ token: string; id: string }> => {
    const { status, body } = await call(
      'POST',
      '/v1/tokens',
      { name: scopes.join(' '), scopes },
      who['admin']
    )
    assert.equal(status, 201)
    return { token: String(body['token']), id: (body['info'] as { id: string }).id }
  }
  const login = async (name: string): Promise<Headers> =>
    session(String((await call('POST', '/login', { name, password })).body['session']))

  before(async () => {
    const { store, db } = shared.app
    await store.addUser('root', password, 'admin')
    await store.addUser('ann', password, 'member')
    Object.assign(who, {
      anonymous: {},
      admin: await login('root'),
      member: await login('ann'),
      'ingest secret': tokenOf(secrets[0] ?? '')
    })
    for (const scope of ['ingest', 'read', 'write', 'admin', 'tools'])
      who[`${scope} token`] = bearer((await addToken(scope)).token)
    const revoked = await addToken('admin')
    assert.equal(
      (await call('DELETE', `/v1/tokens/${revoked.id}`, undefined, who['admin'])).status,
      200
    )
    who['revoked token'] = bearer(revoked.token)
    who['expired token'] = bearer(
      (await store.addToken('old', ['admin'], new Date(Date.now() - 1_000))).token
    )
    who['expired session'] = await login('root')
    await db('core_sessions')
      .where(
        'hash',
        (await import('../auth/secrets.ts')).sha256(
          /rayne_session=(\S+)/.exec(who['expired session']['cookie'] ?? '')?.[1] ?? ''
        )
      )
      .update({ expires_at: new Date(Date.now() - 1_000) })
    who['made-up token'] = bearer('rayne_api_0000000000000000000000000000000000000000000')
  })

  // Rows: who asks; columns: public, ingest, user GET, user POST, admin, scope:tools.
  const matrix: Readonly<Record<string, readonly number[]>> = {
    anonymous: [200, 401, 401, 401, 401, 401],
    member: [200, 403, 200, 200, 403, 403],
    admin: [200, 200, 200, 200, 200, 200],
    'ingest secret': [200, 200, 403, 403, 403, 403],
    'ingest token': [200, 200, 403, 403, 403, 403],
    'read token': [200, 403, 200, 403, 403, 403],
    'write token': [200, 403, 200, 200, 403, 403],
    'admin token': [200, 200, 200, 200, 200, 200],
    'tools token': [200, 403, 403, 403, 403, 200],
    'revoked token': [200, 401, 401, 401, 401, 401],
    'expired token': [200, 401, 401, 401, 401, 401],
    'expired session': [200, 401, 401, 401, 401, 401],
    'made-up token': [200, 401, 401, 401, 401, 401]
  }
  const doors = [
    ['GET', 'public'],
    ['POST', 'ingest'],
    ['GET', 'user'],
    ['POST', 'user'],
    ['GET', 'admin'],
    ['GET', 'tools']
  ] as const
  for (const [name, expected] of Object.entries(matrix)) {
    test(`${name} may do what the table says`, async () => {
      assert.ok(who[name], name)
      const found = await Promise.all(
        doors.map(([method, door]) => call(method, `/v1/doors/${door}`, undefined, who[name]))
      )
      assert.deepEqual(
        found.map(one => one.status),
        expected
      )
    })
  }

  test('everybody in the table was asked', () =>
    assert.deepEqual(Object.keys(matrix).toSorted(), Object.keys(who).toSorted()))

  test('HEAD is as free as GET', async () => {
    for (const name of ['read token', 'member'])
      assert.equal(
        (await fetch(`${shared.url}/v1/doors/user`, { method: 'HEAD', headers: who[name] ?? {} }))
          .status,
        200,
        name
      )
  })

  test('a refusal says the same whatever was wrong', async () => {
    const bodies = await Promise.all(
      ['anonymous', 'revoked token', 'expired token', 'expired session', 'made-up token'].map(
        name =>
          call('GET', '/v1/doors/user', undefined, {
            ...who[name],
            'x-request-id': 'constant-answer'
          })
      )
    )
    for (const one of bodies) {
      assert.deepEqual(one.body, bodies[0]?.body)
      assert.equal(one.headers.get('www-authenticate'), 'Bearer realm="rayne", Basic realm="rayne"')
    }
  })

  test('two ingest secrets live side by side, in each way a sender may carry them', async () => {
    for (const secret of secrets)
      for (const headers of [
        tokenOf(secret),
        bearer(secret),
        basic(`rayne:${secret}`),
        basic(`:${secret}`),
        { authorization: `bearer ${secret}` }
      ]) {
        assert.equal(
          (await call('POST', '/v1/doors/ingest', undefined, headers)).status,
          200,
          JSON.stringify(headers)
        )
      }
    for (const headers of [
      tokenOf(`${secrets[0]}x`),
      tokenOf(secrets[0]?.slice(0, -1) ?? ''),
      basic(`${secrets[0]}:`),
      tokenOf(''),
      bearer(''),
      { authorization: secrets[0] ?? '' },
      { authorization: `Digest ${secrets[0]}` }
    ]) {
      assert.equal(
        (await call('POST', '/v1/doors/ingest', undefined, headers)).status,
        401,
        JSON.stringify(headers)
      )
    }
    assert.equal((await call('POST', `/v1/doors/ingest?token=${secrets[0]}`)).status, 401)
  })

  test('a token that was used and is revoked ends within five seconds', async () => {
    const { token, id } = await addToken('read')
    assert.equal((await call('GET', '/v1/doors/user', undefined, bearer(token))).status, 200)
    await call('DELETE', `/v1/tokens/${id}`, undefined, who['admin'])
    assert.equal((await call('DELETE', `/v1/tokens/${id}`, undefined, who['admin'])).status, 404)
    await eventually(
      'the end of the token',
      async () => (await call('GET', '/v1/doors/user', undefined, bearer(token))).status === 401,
      6_000
    )
  })

  test('a page of another origin may not act for a logged-in user', async () => {
    const { cookie = '' } = who['member'] ?? {}
    const post = (headers: Headers): Promise<number> =>
      call('POST', '/v1/doors/user', undefined, { cookie, ...headers }).then(one => one.status)
    assert.equal(await post({ origin: 'https://evil.example' }), 403)
    assert.equal(await post({ origin: 'null' }), 403)
    assert.equal(await post({}), 403)
    assert.equal(await post({ 'sec-fetch-site': 'cross-site' }), 403)
    assert.equal(await post({ 'sec-fetch-site': 'same-origin' }), 200)
    assert.equal(await post({ origin: new URL(shared.url).origin }), 200)
    assert.equal((await call('GET', '/v1/doors/user', undefined, { cookie })).status, 200)
  })

  test('tokens are shown once, listed without their secret, and only known scopes are given', async () => {
    const { token } = await addToken('read', 'tools')
    assert.match(token, /^rayne_api_[\w-]{43}$/)
    const listed = await call('GET', '/v1/tokens', undefined, who['admin'])
    const text = JSON.stringify(listed.body)
    assert.ok(!text.includes(token) && !text.includes('hash') && !text.includes('rayne_'))
    for (const scopes of [['setup'], ['admin', 'setup'], ['root'], [], ['READ']])
      assert.equal(
        (await call('POST', '/v1/tokens', { name: 'x', scopes }, who['admin'])).status,
        400,
        String(scopes)
      )
    const { rows } = await shared.app.db.raw(
      'select count(*)::int as n from core_tokens where hash like ?',
      ['rayne_%']
    )
    assert.equal(rows[0].n, 0)
  })

  test('a token may have an end', async () => {
    const { body } = await call(
      'POST',
      '/v1/tokens',
      { name: 'brief', scopes: ['read'], expires_in_days: 2 },
      who['admin']
    )
    const ends = Date.parse(String((body['info'] as { expires_at: string }).expires_at))
    assert.ok(Math.abs(ends - Date.now() - 2 * 86_400_000) < 60_000)
  })

  test('health needs no token; metrics and jobs do', async () => {
    for (const path of ['/healthz', '/health', '/readyz', '/openapi.json', '/docs', '/setup'])
      assert.equal((await fetch(`${shared.url}${path}`)).status, 200, path)
    for (const path of ['/metrics', '/v1/jobs', '/v1/tokens'])
      assert.equal((await fetch(`${shared.url}${path}`)).status, 401, path)
  })

  test('logging out ends the session', async () => {
    const headers = await login('ann')
    assert.equal((await call('GET', '/v1/doors/user', undefined, headers)).status, 200)
    const out = await call('POST', '/logout', undefined, headers)
    assert.match(out.headers.get('set-cookie') ?? '', /rayne_session=; .*Max-Age=0/)
    assert.equal((await call('GET', '/v1/doors/user', undefined, headers)).status, 401)
  })
})
