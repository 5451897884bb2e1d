import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkPassword, hashPassword } from '../auth/passwords.ts'
import { sha256 } from '../auth/secrets.ts'
import { createTestApp } from '../testing.ts'
import { suiteApp } from './suite-app.ts'

const password = 'correct horse battery'
const phc = /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w-]{22}\$[\w-]{43}$/

describe('passwords', () => {
  test('are argon2id PHC strings, salted', async () => {
    const [one, two] = await Promise.all([hashPassword(password), hashPassword(password)])
    assert.match(one, phc)
    assert.notEqual(one, two)
    assert.ok((await checkPassword(password, one)) && (await checkPassword(password, two)))
    assert.ok(!(await checkPassword(`${password} `, one)))
  })

  test('of nobody, or in a form nobody wrote, are wrong', async () => {
    for (const stored of [
      undefined,
      '',
      'plain',
      '$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA',
      '$2b$10$abcdefghijklmnopqrstuv'
    ])
      assert.equal(await checkPassword(password, stored), false)
  })

  test('that cost too much at once are refused, not queued for ever', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => hashPassword(password))
    )
    const refused = results.filter(result => result.status === 'rejected')
    assert.ok(refused.length > 0 && refused.length < 10, `${refused.length} refused`)
    assert.ok(
      refused.every(
        result => result.reason.status === 429 && result.reason.details.retryAfterSeconds > 0
      )
    )
    assert.ok(await checkPassword(password, await hashPassword(password)))
  })
})

describe('logging in', () => {
  const shared = suiteApp({
    env: { RAYNE_AUTH: 'required', RAYNE_PUBLIC_URL: 'https://rayne.example.com' }
  })
  const { call, lines } = shared
  const tokens: { admin?: string } = {}
  const admin = async (): Promise<Record<string, string>> => ({
    authorization: `Bearer ${(tokens.admin ??= (await shared.app.store.addToken('admin', ['admin'])).token)}`
  })

  test('the link of the first admin works once, and nothing else makes one', async () => {
    const anonymous = await call('POST', '/register', { name: 'eve', password, role: 'admin' })
    assert.equal(anonymous.status, 403)
    const secret = (await shared.app.store.setupSecret()) ?? ''
    const newer = (await shared.app.store.setupSecret()) ?? ''
    assert.match(newer, /^rayne_setup_[\w-]{43}$/)
    const register = (setup: string, name = 'root'): ReturnType<typeof call> =>
      call('POST', '/register', { name, password, setup })
    assert.equal((await register(secret)).status, 403, 'an older link ends with a newer one')
    assert.equal((await register('rayne_setup_made-up')).status, 403)
    assert.equal(
      (await call('GET', '/v1/jobs', undefined, { authorization: `Bearer ${newer}` })).status,
      403,
      'it opens nothing else'
    )
    const answers = await Promise.all([
      register(newer, 'root'),
      register(newer, 'toor'),
      register(newer, 'other')
    ])
    assert.deepEqual(answers.map(one => one.status).toSorted(), [201, 403, 403])
    assert.equal(answers.find(one => one.status === 201)?.body['role'], 'admin')
    assert.equal(await shared.app.store.setupSecret(), undefined)
    assert.deepEqual(
      (await shared.app.store.listUsers()).map(user => user.role),
      ['admin']
    )
  })

  test('an expired link is refused', async () => {
    await shared.app.db('core_tokens').insert({
      name: 'setup',
      hash: sha256('rayne_setup_expired'),
      scopes: ['setup'],
      expires_at: new Date(Date.now() - 1_000)
    })
    assert.equal(
      (await call('POST', '/register', { name: 'late', password, setup: 'rayne_setup_expired' }))
        .status,
      403
    )
  })

  test('an open link ends when a user is made in another way', async t => {
    const app = await createTestApp(t, { env: { RAYNE_AUTH: 'required' } })
    const setup = await app.store.setupSecret()
    await app.store.addUser('first', password, 'member')
    const { status, body } = await app.call('POST', '/register', { name: 'eve', password, setup })
    assert.deepEqual(
      [status, (body as { type: string }).type],
      [403, 'urn:rayne:error:setup-spent']
    )
    // Also a row that a restore brought back opens nothing.
    await app.db('core_tokens').insert({
      name: 'setup',
      hash: sha256('rayne_setup_restored'),
      scopes: ['setup'],
      expires_at: new Date(Date.now() + 60_000)
    })
    const restored = { name: 'eve', password, setup: 'rayne_setup_restored' }
    assert.equal((await app.call('POST', '/register', restored)).status, 403)
    assert.equal((await app.store.listUsers()).length, 1)
  })

  test('an admin makes members; names are taken once, passwords are long', async () => {
    const made = await call('POST', '/register', { name: 'ann', password }, await admin())
    assert.deepEqual([made.status, made.body['role']], [201, 'member'])
    assert.equal(
      (await call('POST', '/register', { name: 'ann', password }, await admin())).status,
      409
    )
    assert.equal(
      (await call('POST', '/register', { name: 'bob', password: 'short' }, await admin())).status,
      400
    )
    assert.equal(
      (await call('POST', '/register', { name: 'bo\u0000b', password }, await admin())).status,
      400
    )
    const member = await call('POST', '/login', { name: 'ann', password })
    const promoted = await call(
      'POST',
      '/register',
      { name: 'friend', password, role: 'admin' },
      {
        cookie: `__Host-rayne_session=${String(member.body['session'])}`,
        origin: new URL(shared.url).origin
      }
    )
    assert.equal(promoted.status, 403)
  })

  test('gives a session in a cookie no script can read', async () => {
    const { status, headers, body } = await call('POST', '/login', { name: 'ann', password })
    assert.equal(status, 200)
    assert.match(
      headers.get('set-cookie') ?? '',
      /^__Host-rayne_session=rayne_session_[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=4\d{4}; Secure$/
    )
    assert.ok(
      Math.abs(Date.parse(String(body['expires_at'])) - Date.now() - 12 * 3_600_000) < 60_000
    )
  })

  test('passwords and hashes leave the database for nowhere', async () => {
    const { rows } = await shared.app.db.raw('select password_hash from core_users')
    assert.ok(
      rows.length >= 2 &&
        rows.every((row: { password_hash: string }) => phc.test(row.password_hash))
    )
    const answers = [
      await call('POST', '/login', { name: 'ann', password }),
      await call('POST', '/login', { name: 'ann', password: 'wrong but long' }),
      await call('POST', '/register', { name: 'cat', password }, await admin())
    ]
    const text = JSON.stringify(answers.map(answer => answer.body)) + lines.join('')
    for (const hidden of [password, 'argon2', 'password_hash', tokens.admin ?? 'none'])
      assert.ok(!text.includes(hidden), hidden)
  })

  test('a wrong name and a wrong password are told the same, and are told nothing of the other', async () => {
    const wrong = await Promise.all([
      call('POST', '/login', { name: 'ann', password: 'x' }, { 'x-request-id': 'constant-answer' }),
      call(
        'POST',
        '/login',
        { name: 'nobody', password: 'x' },
        { 'x-request-id': 'constant-answer' }
      ),
      call(
        'POST',
        '/login',
        { name: "' or 1=1 --", password: "' or 1=1 --" },
        { 'x-request-id': 'constant-answer' }
      )
    ])
    for (const one of wrong) assert.deepEqual([one.status, one.body], [401, wrong[0]?.body])
  })

  test('ten failures for a name close it for a while, and only it', async () => {
    const statuses: number[] = []
    for (let tries = 0; tries < 11; tries++)
      statuses.push((await call('POST', '/login', { name: 'mallory', password: 'guess' })).status)
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429])
    const closed = await call('POST', '/login', { name: 'mallory', password: 'guess' })
    assert.ok(Number(closed.headers.get('retry-after')) > 600)
    assert.equal((await call('POST', '/login', { name: 'ann', password })).status, 200)
  })

  test('a login that works forgets the failures before it', async () => {
    for (let round = 0; round < 3; round++) {
      for (let tries = 0; tries < 6; tries++)
        assert.equal((await call('POST', '/login', { name: 'cat', password: 'guess' })).status, 401)
      assert.equal((await call('POST', '/login', { name: 'cat', password })).status, 200)
    }
  })

  test('a user that is removed is out at once', async () => {
    const { body } = await call('POST', '/login', { name: 'cat', password })
    const cookie = `__Host-rayne_session=${String(body['session'])}`
    assert.equal((await call('GET', '/v1/jobs', undefined, { cookie })).status, 200)
    const settable = `rayne_session=${String(body['session'])}`
    assert.equal((await call('GET', '/v1/jobs', undefined, { cookie: settable })).status, 401)
    assert.equal(await shared.app.store.removeUser('cat'), true)
    assert.equal((await call('GET', '/v1/jobs', undefined, { cookie })).status, 401)
  })

  test('without https in the address the cookie is not Secure', async t => {
    const app = await createTestApp(t, { env: { RAYNE_AUTH: 'required' } })
    await app.store.addUser('ann', password, 'member')
    const { headers } = await app.call('POST', '/login', { name: 'ann', password })
    assert.match(headers.get('set-cookie') ?? '', /^rayne_session=/)
    assert.doesNotMatch(headers.get('set-cookie') ?? '', /Secure/)
  })
})
