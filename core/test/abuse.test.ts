import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createThrottle, loginBudgets } from '../auth/throttle.ts'
import { createPeerOf } from '../http/peer.ts'
import { createTestApp } from '../testing.ts'
import { suiteApp } from './suite-app.ts'

const password = 'correct horse battery'

describe('the throttle of logins', () => {
  const fails = (attempt: ReturnType<typeof createThrottle>, name: string, ip: string): boolean => {
    try {
      attempt(name, ip)
      return false
    } catch {
      return true
    }
  }

  test('counts for a name, for an address, and in all', () => {
    const byName = createThrottle(() => 1_000)
    for (let n = 0; n < loginBudgets.name; n++) assert.ok(!fails(byName, 'ann', `10.0.0.${n}`))
    assert.ok(fails(byName, 'ann', '10.0.1.1'))
    assert.ok(!fails(byName, 'bob', '10.0.1.1'))
    const byAddress = createThrottle(() => 1_000)
    for (let n = 0; n < loginBudgets.address; n++) assert.ok(!fails(byAddress, `n${n}`, '10.0.0.1'))
    assert.ok(fails(byAddress, 'ann', '10.0.0.1'))
    assert.ok(!fails(byAddress, 'ann', '10.0.0.2'))
    const inAll = createThrottle(() => 1_000)
    for (let n = 0; n < loginBudgets.all; n++) assert.ok(!fails(inAll, `n${n}`, `a${n}`))
    assert.ok(fails(inAll, 'ann', '10.0.0.2'))
  })

  test('is not emptied by a flood of names, and opens again after its time', () => {
    let now = 1_000
    const attempt = createThrottle(() => now)
    for (let n = 0; n < loginBudgets.pair; n++) attempt('ann', '10.0.0.1')
    let refused = 0
    for (let n = 0; n < 20_000; n++) refused += fails(attempt, `n${n}`, `a${n}`) ? 1 : 0
    assert.ok(refused > 18_000, `${refused}`)
    assert.ok(fails(attempt, 'ann', '10.0.0.1'))
    now += 16 * 60_000
    assert.ok(!fails(attempt, 'ann', '10.0.0.1'))
  })

  test('counts wrong passwords only', () => {
    const attempt = createThrottle(() => 1_000)
    for (let n = 0; n < 5 * loginBudgets.all; n++) attempt('ann', '10.0.0.1').succeeded()
    const cut = new Error('nobody looked')
    for (let n = 0; n < 5 * loginBudgets.all; n++)
      assert.throws(() => attempt('ann', '10.0.0.1').cutOff(cut), cut)
    assert.ok(!fails(attempt, 'ann', '10.0.0.1'))
  })
})

test('an address is believed from trusted proxies only, hop by hop', () => {
  const peerOf = createPeerOf(['10.0.0.0/8', 'fd00::/8'])
  const ask = (remoteAddress: string, forwarded?: string): string =>
    peerOf({
      socket: { remoteAddress },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    })
  assert.equal(ask('192.0.2.1', '198.51.100.7'), '192.0.2.1')
  assert.equal(ask('10.1.2.3', '198.51.100.7'), '198.51.100.7')
  assert.equal(ask('::ffff:10.1.2.3', '203.0.113.9, 198.51.100.7, 10.9.9.9'), '198.51.100.7')
  assert.equal(ask('fd00::1', '2001:db8::5'), '2001:db8::5')
  assert.equal(ask('10.1.2.3'), '10.1.2.3')
  for (const wrong of ['10.0.0.0/33', 'proxy.example.com', '10.0.0/8', '10.0.0.0/x'])
    assert.throws(() => createPeerOf([wrong]), /RAYNE_TRUSTED_PROXIES: '/, wrong)
})

describe('in protected mode', () => {
  const shared = suiteApp({ env: { RAYNE_AUTH: 'required' } })

  test('public routes take 4 KB, and no more is read', async () => {
    for (const path of ['/login', '/register']) {
      const big = { name: 'a', password: 'x'.repeat(5_000) }
      assert.equal((await shared.call('POST', path, big)).status, 413, path)
    }
  })

  test('answers are what they say and stay in no cache', async () => {
    for (const path of ['/healthz', '/v1/jobs', '/nothing', '/docs', '/v1/tokens/x', '/readyz']) {
      const { headers } = await fetch(`${shared.url}${path}`)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.equal(headers.get('cache-control'), 'no-store', path)
    }
  })

  test('common passwords and names as passwords are refused', async () => {
    const { token } = await shared.app.store.addToken('admin', ['admin'])
    for (const [name, wrong] of [
      ['ann', 'Password1234'],
      ['christopher.robin', 'Christopher Robin'.replace(' ', '.')],
      ['christopher', 'christopher1!'],
      ['ann', 'aaaaaaaaaaaaaa'],
      ['ann', 'abababababab']
    ] as const) {
      const body = { name, password: wrong }
      const answer = await shared.call('POST', '/register', body, {
        authorization: `Bearer ${token}`
      })
      assert.equal(answer.status, 400, wrong)
      assert.equal((answer.body['errors'] as { pointer: string }[])[0]?.pointer, '/body/password')
    }
  })
})

test('who is not logged in is told that a check fails, and not what the driver said', async t => {
  const app = await createTestApp(t, { env: { RAYNE_AUTH: 'required' } })
  app.health.add('vault', {
    required: true,
    run: () => Promise.reject(new Error('connect ECONNREFUSED 10.1.2.3:5432 as keeper'))
  })
  await app.store.addUser('ann', password, 'member')
  const { token } = await app.store.addToken('t', ['read'])
  const anonymous = await app.call<object>('GET', '/readyz')
  const known = await app.call<object>('GET', '/readyz', undefined, {
    authorization: `Bearer ${token}`
  })
  assert.deepEqual([anonymous.status, known.status], [503, 503])
  assert.doesNotMatch(JSON.stringify(anonymous.body), /10\.1\.2\.3|keeper/)
  assert.match(JSON.stringify(anonymous.body), /vault/)
  assert.match(JSON.stringify(known.body), /10\.1\.2\.3/)
})
