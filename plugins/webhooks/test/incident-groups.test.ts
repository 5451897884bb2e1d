import assert from 'node:assert/strict'
import test from 'node:test'
import { alert, incidentApp, recovery } from './incidents.ts'

const onHost = (monitor: number, facts: object = {}): object =>
  alert({
    monitor_id: monitor,
    monitor_name: `monitor ${monitor}`,
    hostname: 'web-1',
    alert_scope: 'host:web-1',
    ...facts
  })

test('a storm of a host is one incident, told once, and says of each member why', async t => {
  const { send, app, settled, incidents, incident, list } = await incidentApp(t, {
    RAYNE_WEBHOOKS_SETTLE_SECONDS: '600'
  })
  for (let round = 0; round < 3; round++)
    await Promise.all(Array.from({ length: 12 }, (_, monitor) => send(onHost(monitor + 1))))
  await send(onHost(99, { hostname: 'web-2', alert_scope: 'host:web-2' }))
  await app.drain()
  assert.equal(settled.length, 0)
  const found = await incidents()
  assert.deepEqual(
    found.map(({ member_count: members, occurrences }) => [members, occurrences]).toSorted(),
    [
      [1, 1],
      [12, 36]
    ]
  )
  const storm = await incident(found.find(each => each.member_count === 12)?.id ?? 0)
  for (const { rule, why_merged: why } of storm.members)
    assert.match(
      `${rule}: ${why}`,
      /^first: it opened|^host: .*monitors of host 'web-1' that alert/
    )
  assert.ok(storm.members.filter(({ rule }) => rule === 'first').length <= 1)
  const merged = (await list('?state=merged')).incidents
  for (const each of merged) assert.equal(each.merged_into, storm.id)
  await app
    .db('jobs.job')
    .where('name', 'webhooks.settle')
    .update({ start_after: new Date(0) })
  await app.drain()
  assert.equal(settled.length, 2)
  assert.ok(settled.includes(storm.event_id))
})

test('two monitors of a host are two incidents; of a service it takes as many', async t => {
  const { post, incidents } = await incidentApp(t)
  const ofService = (monitor: number, env: string) =>
    alert({ monitor_id: monitor, service: 'pay', env, alert_scope: `m:${monitor}` })
  await post(onHost(1), onHost(2))
  assert.equal((await incidents()).length, 2)
  await post(ofService(11, 'prod'), ofService(12, 'prod'), ofService(13, 'staging'))
  assert.equal((await incidents()).length, 5)
  await post(ofService(14, 'prod'))
  const found = await incidents()
  assert.deepEqual(
    found.map(({ member_count: members }) => members),
    [1, 1, 2, 1, 1]
  )
})

test('another scope of a monitor joins while it is near, and the last recovery closes', async t => {
  const { post, incidents, incident, app, settled, changes } = await incidentApp(t)
  const scope = (name: string) => ({ alert_scope: `host:${name}` })
  await post(alert(scope('a')), alert(scope('b')))
  const [one] = await incidents()
  const { members } = await incident(one?.id ?? 0)
  assert.deepEqual(
    members.map(({ scope: where, rule }) => [where, rule]),
    [
      ['host:a', 'first'],
      ['host:b', 'scope']
    ]
  )
  assert.match(members[1]?.why_merged ?? '', /another scope of the same monitor, 0 s from/)
  await post(recovery(scope('a')))
  assert.deepEqual([(await incident(1)).state, (await incident(1)).firing_count], ['open', 1])
  await app.db.raw(`update webhooks_members set joined_at = joined_at - interval '3 minutes'`)
  await post(alert(scope('c')))
  assert.deepEqual([settled.length, (await incidents()).length], [2, 2])
  await post(recovery(scope('b')))
  assert.equal((await incident(1)).state, 'closed')
  assert.deepEqual(changes, ['joined', 'closed'])
})

test('shadow says what it would merge, and merges nothing; off says nothing', async t => {
  for (const grouping of ['shadow', 'off']) {
    const { post, incidents, incident } = await incidentApp(t, {
      RAYNE_WEBHOOKS_GROUPING: grouping
    })
    await post(onHost(1), onHost(2), onHost(3))
    const found = await incidents()
    assert.equal(found.length, 3)
    const would = found[2]?.would_merge
    if (grouping === 'off') assert.equal(would, null)
    else {
      assert.equal(would?.incident_id, found[0]?.id)
      assert.match(would?.why ?? '', /one of 3 monitors of host 'web-1'/)
      assert.ok((await incident(3)).log.some(({ kind }) => kind === 'would-merge'))
    }
  }
})

test('people acknowledge, assign, note, close and split; each is told and kept', async t => {
  const { post, act, app, incident, settled, changes } = await incidentApp(t)
  const scope = (name: string) => ({ alert_scope: `host:${name}` })
  await post(alert(scope('a')), alert(scope('b')), alert(scope('c')))
  const { members } = await incident(1)
  const acted = await act(1, 'acknowledge')
  assert.deepEqual([acted.status, typeof acted.body.acknowledged_by], [200, 'string'])
  assert.equal((await act(1, 'acknowledge')).status, 200)
  assert.equal((await act(1, 'assign', { to: 'ada' })).body.assigned_to, 'ada')
  assert.equal((await act(1, 'assign', { to: null })).body.assigned_to, null)
  assert.equal((await act(1, 'note', { text: 'looked at the disk' })).status, 201)
  const split = await act(1, 'split', { members: [members[1]?.id, members[2]?.id] })
  assert.deepEqual([split.status, split.body.id, split.body.member_count], [201, 2, 2])
  assert.match(split.body.members[0]?.why_merged ?? '', /split it off incident 1$/)
  for (const bad of [[members[0]?.id], [members[1]?.id], [999]])
    assert.equal((await act(1, 'split', { members: bad })).status, 400)
  await post(alert(scope('b')))
  assert.equal((await incident(2)).occurrences, 3)
  assert.equal((await act(1, 'close', { text: 'a test' })).body.state, 'closed')
  assert.equal((await act(1, 'acknowledge')).status, 200)
  assert.equal((await act(1, 'split', { members: [members[0]?.id] })).status, 409)
  await app.drain()
  assert.equal(settled.length, 2)
  assert.deepEqual(
    changes.toSorted().join(' '),
    'acknowledged assigned assigned closed joined joined noted split'
  )
  assert.deepEqual(
    (await incident(1)).log.map(({ kind }) => kind),
    [
      'opened',
      'joined',
      'joined',
      'acknowledged',
      'assigned',
      'assigned',
      'noted',
      'split',
      'closed'
    ]
  )
  assert.equal((await act(99, 'close', {})).status, 404)
  assert.equal((await act(1, 'note', { text: '' })).status, 400)
})

test('an incident that is over goes with the last of its events', async t => {
  const { post, incidents, app } = await incidentApp(t, { RAYNE_WEBHOOKS_RETENTION_DAYS: '1' })
  await post(alert(), recovery(), alert({ monitor_id: 8, alert_scope: 'x' }))
  await app.db('webhooks_events').update({ received_at: new Date(Date.now() - 3 * 86_400_000) })
  await app.jobs.boss.send('webhooks.retain', {})
  await app.drain()
  assert.deepEqual(
    (await incidents()).map(({ state }) => state),
    ['open']
  )
})
