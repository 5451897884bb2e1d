import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { main } from '../main.ts'
import { createTestApp, createTestDatabase, urlOf } from '../testing.ts'
import { suiteApp } from './suite-app.ts'

const password = 'correct horse battery'
const another = 'another long sentence'

describe('a password', () => {
  const shared = suiteApp({ env: { RAYNE_AUTH: 'required' } })
  const { call } = shared

  /** Logs in and answers what the session may send along. */
  async function session(name: string, secret: string): Promise<Record<string, string>> {
    const { status, headers } = await call('POST', '/login', { name, password: secret })
    assert.equal(status, 200)
    const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    return { cookie, origin: new URL(shared.url).origin }
  }
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await call('GET', '/v1/jobs', undefined, headers)).status

  test('is changed by its owner who knows the old one, and the other sessions end', async () => {
    await shared.app.store.addUser('ann', password, 'member')
    await shared.app.store.addUser('bob', password, 'member')
    const [own, other, bob] = [
      await session('ann', password),
      await session('ann', password),
      await session('bob', password)
    ]
    const change = (old: string, fresh: string, headers: Record<string, string>) =>
      call('POST', '/password', { old_password: old, new_password: fresh }, headers)
    const wrong = await change('not the old one', another, own)
    assert.deepEqual([wrong.status, wrong.body['type']], [401, 'urn:rayne:error:login-failed'])
    const weak = await change(password, 'Password1234', own)
    assert.equal(weak.status, 400)
    const short = await change(password, 'short', own)
    assert.deepEqual(
      (short.body['errors'] as { pointer: string }[]).map(({ pointer }) => pointer),
      ['/body/new_password']
    )
    assert.deepEqual(await Promise.all([own, other, bob].map(statusOf)), [200, 200, 200])

    assert.equal((await change(password, another, own)).status, 200)
    assert.deepEqual(await Promise.all([own, other, bob].map(statusOf)), [200, 401, 200])
    assert.equal((await call('POST', '/login', { name: 'ann', password })).status, 401)
    await session('ann', another)
  })

  test('is none of a token, and of nobody who is not logged in', async () => {
    const { token } = await shared.app.store.addToken('writer', ['write', 'admin'])
    const body = { old_password: password, new_password: another }
    const answers = [
      await call('POST', '/password', body, { authorization: `Bearer ${token}` }),
      await call('POST', '/password', body)
    ]
    assert.deepEqual(
      answers.map(answer => answer.status),
      [403, 401]
    )
  })

  test('of another cannot be guessed here without an end', async () => {
    await shared.app.store.addUser('eve', password, 'member')
    const own = await session('eve', password)
    const statuses: number[] = []
    for (let n = 0; n < 11; n++) {
      const guess = { old_password: `guess ${n}`, new_password: another }
      statuses.push((await call('POST', '/password', guess, own)).status)
    }
    assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429])
  })

  test('and its change are in the audit log, without the words', async () => {
    const entries = await shared.app.audit.list(100)
    const said = entries.map(({ actor, action, outcome }) => `${actor}: ${action}: ${outcome}`)
    assert.ok(
      said.some(each => /^user \d+ ann: POST \/password: 200$/.test(each)),
      said.join('\n')
    )
    assert.ok(said.includes('ann: password: wrong password'))
    assert.doesNotMatch(said.join(), /another long sentence|correct horse/)
  })
})

test('a session that nobody uses ends before its time, and one that is used does not', async t => {
  const app = await createTestApp(t, { env: { RAYNE_AUTH: 'required' } })
  await app.store.addUser('ann', password, 'member')
  const { headers } = await app.call('POST', '/login', { name: 'ann', password })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const status = async (): Promise<number> =>
    (await app.call('GET', '/v1/jobs', undefined, { cookie })).status
  const idleFor = (minutes: number) =>
    app.db('core_sessions').update({ seen_at: new Date(Date.now() - minutes * 60_000) })
  for (let n = 0; n < 3; n++) {
    await idleFor(29)
    assert.equal(await status(), 200)
    const [row] = await app.db('core_sessions').select('seen_at')
    assert.ok(Date.now() - row.seen_at.getTime() < 60_000, 'a use is noted')
  }
  await idleFor(31)
  assert.equal(await status(), 401)
})

test('the command line gives another password and ends the sessions of a running server', async t => {
  const connection = await createTestDatabase(t)
  const app = await createTestApp(t, { connection, env: { RAYNE_AUTH: 'required' } })
  await app.store.addUser('ann', password, 'member')
  const { headers } = await app.call('POST', '/login', { name: 'ann', password })
  const cookie = (headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const status = async (): Promise<number> =>
    (await app.call('GET', '/v1/jobs', undefined, { cookie })).status
  assert.equal(await status(), 200)
  const args = ['users', 'password', 'ann', '--password', another]
  const terminal = {
    environment: { DATABASE_URL: urlOf(connection) },
    out: () => {},
    err: () => {}
  }
  assert.equal(await main(args, AbortSignal.timeout(60_000), terminal), 0)
  assert.equal(await status(), 401)
})

test('in local mode there is no password to change', async t => {
  const app = await createTestApp(t)
  const body = { old_password: password, new_password: another }
  assert.equal((await app.call('POST', '/password', body)).status, 403)
})
