import assert from 'node:assert/strict'
import test from 'node:test'
import { alert, incidentApp, recovery } from './incidents.ts'

const now = Math.floor(Date.now() / 1000)

test('alerts of one problem are one incident, told once; a recovery closes it', async t => {
  const { post, incidents, incident, settled, changes, app } = await incidentApp(t)
  const [first = 0, again = 0] = await post(
    alert(),
    alert({ alert_transition: 'Renotify' }),
    alert({ alert_transition: 'Re-Triggered' })
  )
  const [open, ...others] = await incidents()
  assert.deepEqual(others, [])
  assert.deepEqual(
    [open?.state, open?.status, open?.title, open?.occurrences, open?.event_id],
    ['open', 'alert', 'checkout 5xx', 3, first]
  )
  await post(recovery())
  const closed = await incident(open?.id ?? 0)
  assert.deepEqual(
    [closed.state, closed.closed_by, closed.firing_count, closed.occurrences, closed.flaps],
    ['closed', 'recovery', 0, 4, 0]
  )
  assert.deepEqual([settled, changes], [[first], ['closed']])
  assert.deepEqual(
    closed.log.map(({ kind }) => kind),
    ['opened', 'closed']
  )
  const event = await app.call<{ incident_id: number }>('GET', `/v1/webhooks/events/${again}`)
  assert.equal(event.body.incident_id, closed.id)
})

test('what flaps is counted: within its cycle, or soon after', async t => {
  const { post, incidents, settled, changes } = await incidentApp(t)
  const ofCycle = (cycle: string) => [
    alert({ alert_cycle_key: cycle }),
    recovery({ alert_cycle_key: cycle })
  ]
  await post(...ofCycle('a'), ...ofCycle('a'), ...ofCycle('b'), alert())
  const [one, ...others] = await incidents()
  assert.deepEqual(others, [])
  assert.deepEqual([one?.state, one?.flaps, one?.occurrences], ['open', 3, 7])
  assert.equal(settled.length, 1)
  assert.deepEqual(
    changes,
    [1, 2, 3].flatMap(() => ['closed', 'reopened'])
  )
})

test('without patience a later cycle is another incident, and the same cycle still is not', async t => {
  const { post, incidents, settled } = await incidentApp(t, { RAYNE_WEBHOOKS_REOPEN_MINUTES: '0' })
  const of = (cycle: string | undefined) => ({ alert_cycle_key: cycle })
  await post(alert(of('a')), recovery(of('a')), alert(of('a')), alert(of('b')), recovery(of('b')))
  await post(alert())
  const found = await incidents()
  assert.deepEqual(
    found.map(({ state, flaps, occurrences }) => [state, flaps, occurrences]),
    [
      ['closed', 1, 3],
      ['closed', 0, 2],
      ['open', 0, 1]
    ]
  )
  assert.match(String(found[0]?.closed_by), /recovery/)
  assert.equal(settled.length, 3)
})

test('a recovery that came first closes its incident when the alert comes, by cycle or by time', async t => {
  const { post, incidents } = await incidentApp(t)
  await post(recovery({ alert_cycle_key: 'c' }), alert({ alert_cycle_key: 'c' }))
  const other = { monitor_id: 8, monitor_name: 'payments', alert_scope: 'env:prod' }
  await post(recovery({ ...other, date: now - 10 }), alert({ ...other, date: now - 20 }))
  // A recovery of before is not one of this alert.
  const third = { monitor_id: 9, monitor_name: 'search', alert_scope: 'env:prod' }
  await post(recovery({ ...third, date: now - 20 }), alert({ ...third, date: now - 10 }))
  assert.deepEqual(
    (await incidents()).map(({ state, occurrences }) => [state, occurrences]),
    [
      ['closed', 2],
      ['closed', 2],
      ['open', 1]
    ]
  )
})

test('every order of alert, recovery, alert, recovery ends closed, in one incident', async t => {
  const { send, app, incidents } = await incidentApp(t)
  const orders = (left: readonly number[]): number[][] =>
    left.length === 0
      ? [[]]
      : left.flatMap(one => orders(left.filter(each => each !== one)).map(rest => [one, ...rest]))
  const all = orders([0, 1, 2, 3])
  for (const round of [0, 1, 2, 3]) {
    for (const [n, order] of all.entries()) {
      const at = order[round] ?? 0
      const facts = { monitor_id: 100 + n, monitor_name: `m${n}`, alert_scope: `n:${n}` }
      await send((at % 2 === 0 ? alert : recovery)({ ...facts, date: now - 100 + at * 10 }))
    }
    await app.drain()
  }
  const found = await incidents()
  assert.equal(found.length, 24)
  assert.deepEqual([...new Set(found.map(({ state }) => state))], ['closed'])
})

test('a lost recovery: an alert of another cycle, or after a long silence, is an incident of its own', async t => {
  const { post, incidents, app } = await incidentApp(t)
  await post(alert({ alert_cycle_key: 'a' }))
  const age = (hours: number) =>
    app.db.raw(
      `update webhooks_members set last_at = last_at - ? * interval '1 hour',
        joined_at = joined_at - ? * interval '1 hour'`,
      [hours, hours]
    )
  await age(1)
  await post(alert({ alert_cycle_key: 'a', alert_transition: 'Renotify' }))
  await age(1)
  await post(alert({ alert_cycle_key: 'b' }))
  await age(49)
  await post(alert({ alert_cycle_key: 'b' }))
  const found = await incidents()
  assert.deepEqual(
    found.map(({ state, occurrences }) => [state, occurrences]),
    [
      ['closed', 2],
      ['closed', 1],
      ['open', 1]
    ]
  )
})

test('a warning that becomes an alert is worse, and missing data waits for more', async t => {
  const { post, incidents, settled, changes } = await incidentApp(t)
  const nothing = { alert_status: 'No Data', alert_transition: 'No Data' }
  await post(alert(nothing))
  assert.deepEqual([settled, (await incidents())[0]?.status], [[], 'no_data'])
  const [warned] = await post(alert({ alert_status: 'Warn', alert_transition: 'Warn' }))
  await post(alert(), alert({ alert_status: 'Warn', alert_transition: 'Warn' }))
  assert.deepEqual(settled, [warned])
  assert.deepEqual(changes, ['rose', 'rose'])
  const [one] = await incidents()
  assert.deepEqual([one?.status, one?.occurrences, one?.event_id], ['warn', 4, warned])
})

test('an alert of which nothing is known is an incident of its own', async t => {
  const { post, incidents } = await incidentApp(t)
  await post({ a: 1 }, { a: 2 })
  assert.equal((await incidents()).length, 2)
})

test('the same event is counted once, however often its job runs', async t => {
  const { app, send, incidents } = await incidentApp(t)
  await send(alert())
  await app.drain()
  await app.db('jobs.job').where('name', 'like', 'on.webhooks.alert-received%').update({
    state: 'created',
    completed_on: null
  })
  await app.drain()
  assert.deepEqual(
    (await incidents()).map(({ occurrences }) => occurrences),
    [1]
  )
})

test('the list is filtered and paged, and bad questions are refused', async t => {
  const { post, list, app } = await incidentApp(t)
  await post(
    alert({ service: 'a', hostname: 'h1' }),
    alert({ monitor_id: 8, service: 'b', alert_scope: 'x' }),
    recovery({ monitor_id: 8, service: 'b', alert_scope: 'x' })
  )
  const count = async (query: string) => (await list(query)).total_count
  assert.deepEqual(
    [
      await count(''),
      await count('?state=open'),
      await count('?service=b'),
      await count('?host=h1'),
      await count('?monitor=8'),
      await count('?monitor=9'),
      await count('?account=none')
    ],
    [2, 1, 1, 1, 1, 0, 0]
  )
  const { incidents, next_cursor: cursor } = await list('?per_page=1')
  const rest = await list(`?per_page=1&cursor=${cursor}`)
  assert.deepEqual([incidents[0]?.id, rest.incidents[0]?.id], [2, 1])
  for (const bad of ['?state=x', '?page=0', '?nope=1', '/0', '/x'])
    assert.equal((await app.call('GET', `/v1/incidents${bad}`)).status, 400, bad)
  assert.equal((await app.call('GET', '/v1/incidents/99')).status, 404)
})
