import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { suiteApp } from './suite-app.ts'

const password = 'correct horse battery'

describe('the audit log', () => {
  const shared = suiteApp({ env: { RAYNE_AUTH: 'required' } })
  const { call } = shared
  const said = async (headers: Record<string, string>): Promise<string[]> => {
    const { status, body } = await call('GET', '/v1/audit', undefined, headers)
    assert.equal(status, 200)
    const entries = body['entries'] as { actor: string; action: string; outcome: string }[]
    return entries.map(({ actor, action, outcome }) => `${actor}: ${action}: ${outcome}`)
  }

  test('tells of logins, tokens, users and refusals, of no secret, and of no reading', async () => {
    const { store } = shared.app
    await store.addUser('root', password, 'admin')
    const { token, info } = await store.addToken('keeper', ['admin'])
    const admin = { authorization: `Bearer ${token}` }
    await call('POST', '/login', { name: 'root', password })
    await call('POST', '/login', { name: 'root', password: 'a wrong password' })
    const made = await call('POST', '/v1/tokens', { name: 'x', scopes: ['read'] }, admin)
    const reader = { authorization: `Bearer ${String(made.body['token'])}` }
    await call('GET', '/v1/jobs', undefined, reader)
    await call('GET', '/v1/tokens', undefined, reader)
    const { id } = made.body['info'] as { id: string }
    await call('DELETE', `/v1/tokens/${id}`, undefined, admin)
    const keeper = `token ${info.id} keeper`
    assert.deepEqual(await said(admin), [
      `${keeper}: DELETE /v1/tokens/${id}: 200`,
      `token ${id} x: GET /v1/tokens: 403`,
      `${keeper}: POST /v1/tokens: 201`,
      'root: login: wrong name or password',
      'root: login: done'
    ])
    const kept = JSON.stringify(await shared.app.db('core_audit').select())
    for (const secret of [token, String(made.body['token']), password, 'a wrong password'])
      assert.ok(!kept.includes(secret))
    assert.equal((await call('GET', '/v1/audit', undefined, reader)).status, 403)
  })

  test('tells whose session or token was refused, by name, and of a caller without one that it has none', async () => {
    const { store } = shared.app
    await store.addUser('ann', password, 'member')
    const { token } = await store.addToken('keeper', ['admin'])
    const admin = { authorization: `Bearer ${token}` }
    const { body } = await call('POST', '/login', { name: 'ann', password })
    const { id } = body['user'] as { id: string }
    const own = { cookie: `rayne_session=${String(body['session'])}`, origin: shared.url }
    await call('GET', '/v1/tokens', undefined, own)
    await call('DELETE', '/v1/tokens/1', undefined, own)
    await call('GET', '/v1/tokens')
    assert.deepEqual((await said(admin)).slice(0, 3), [
      'unknown: GET /v1/tokens: 401',
      `user ${id} ann: DELETE /v1/tokens/1: 403`,
      `user ${id} ann: GET /v1/tokens: 403`
    ])
  })

  test('is only added to, and shows what was changed behind its back', async () => {
    const { db, audit } = shared.app
    const before = await audit.verify()
    assert.ok(before.entries >= 5 && before.broken === null, JSON.stringify(before))
    for (const sql of [
      'update core_audit set actor = $$x$$',
      'delete from core_audit',
      'truncate core_audit'
    ])
      await assert.rejects(db.raw(sql), /only added to/, sql)
    await db.raw('alter table core_audit disable trigger core_audit_stays')
    await db.raw("update core_audit set actor = 'nobody' where id = 2")
    assert.deepEqual(await audit.verify(), { entries: 1, broken: '2' })
    await db.raw('delete from core_audit where id = 2')
    assert.deepEqual(await audit.verify(), { entries: 1, broken: '3' })
  })

  test('is not filled by a flood of refusals', async () => {
    const { db } = shared.app
    const count = async (): Promise<number> => {
      await shared.app.audit.idle()
      return Number((await db('core_audit').count({ n: '*' }).first())?.['n'])
    }
    const before = await count()
    for (let n = 0; n < 300; n++) await call('GET', '/v1/tokens')
    assert.ok((await count()) - before <= 120)
  })
})
