import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import webhooks from '../plugin.ts'
import { deliveries, type Delivery } from './templates.ts'
import { listener, post, statuses, type Call } from './senders.ts'

test('200 alerts of 12 senders, each twice, over a restart: 200 events, 200 duplicates, 0 lost', async t => {
  const connection = await createTestDatabase(t)
  const all = deliveries(200)
  const told: number[] = []
  const ids = new Map<number, number>()
  const answers: number[] = []
  const send = async (call: Call, chosen: readonly number[]): Promise<void> => {
    for (const index of chosen) {
      const { status, id } = await post(call, all[index] as Delivery)
      answers.push(status)
      assert.equal(ids.get(index) ?? id, id, all[index]?.sender)
      ids.set(index, id)
    }
  }
  const places = all.map((_, index) => index)
  const first = await createTestApp(t, { plugins: [webhooks, listener(told)], connection })
  // Interleaved: a delivery comes again while others are still on their first.
  await send(
    first.call,
    places.slice(0, 120).flatMap(at => (at % 2 === 0 ? [at] : [at, at - 1]))
  )
  await first.close()
  const second = await createTestApp(t, { plugins: [webhooks, listener(told)], connection })
  await Promise.all([
    send(
      second.call,
      places.slice(1, 120).filter(at => at % 2 === 1)
    ),
    send(second.call, places.slice(120))
  ])
  await send(second.call, places.slice(120).toReversed())
  assert.deepEqual(statuses(answers), { 202: 200, 200: 200 })
  assert.equal(new Set(ids.values()).size, 200)
  await second.drain()
  assert.deepEqual(
    told.toSorted((a, b) => a - b),
    [...ids.values()].toSorted((a, b) => a - b)
  )
  for (const [index, id] of ids) {
    const event = (await second.call('GET', `/v1/webhooks/events/${id}`)).body as {
      duplicates: number
      alert: Record<string, unknown>
    }
    const { change, sender } = all[index] as (typeof all)[number]
    const { alert } = event
    assert.deepEqual(
      [event.duplicates, alert['monitor_id'], alert['host'], alert['firing']],
      [1, change.monitorId, change.host, change.transition !== 'Recovered'],
      sender
    )
  }
})

const trigger = { alert_id: 331, alert_scope: 'host:a', alert_transition: 'Triggered' }

interface Sender {
  readonly app: { readonly call: Call; readonly url: string }
  /** The events so far. */
  readonly ids: number[]
  /** Posts bodies in turn; answers which of the new events each of them is. */
  places(...bodies: (object | string)[]): Promise<number[]>
}

const cases: Readonly<Record<string, (sender: Sender) => Promise<void>>> = {
  'two hosts of one monitor in the same second are two': async ({ places }) => {
    const host = (name: string) => ({
      ...trigger,
      alert_scope: undefined,
      title: `[Triggered on {host:${name}}] cpu`,
      date: '1790600000000'
    })
    assert.deepEqual(
      await places(
        { ...host('a'), id: '73a' },
        { ...host('b'), id: '73b' },
        { ...host('a'), id: '73a' }
      ),
      [0, 1, 0]
    )
    assert.deepEqual(await places(host('a'), host('b'), host('a'), host('b')), [0, 1, 0, 1])
  },

  'Warn and Triggered take turns within one cycle': async ({ places }) => {
    const turn = (alert_transition: string, id: string) => ({
      alert_id: '332',
      alert_cycle_key: '900331',
      alert_transition,
      id
    })
    assert.deepEqual(
      await places(
        turn('Warn', '7001'),
        turn('Triggered', '7002'),
        turn('Warn', '7003'),
        turn('Triggered', '7004'),
        turn('Warn', '7003')
      ),
      [0, 1, 2, 3, 2]
    )
  },

  'several scopes under one cycle key': async ({ places }) => {
    const scope = (alert_scope: string) => ({ ...trigger, alert_cycle_key: 'c9', alert_scope })
    assert.deepEqual(await places(scope('host:a'), scope('host:b'), scope('host:a')), [0, 1, 0])
  },

  'equal bytes with another change of the same monitor and scope between them': async ({
    places
  }) => {
    const say = (alert_transition: string) => ({ ...trigger, alert_id: 333, alert_transition })
    assert.deepEqual(
      await places(say('Triggered'), say('Recovered'), say('Triggered'), say('Recovered')),
      [0, 1, 2, 3]
    )
    assert.deepEqual(await places(say('Recovered'), say('Recovered')), [0, 0])
    assert.deepEqual(
      await places(say('Warn'), say('Triggered'), say('Warn'), say('Warn')),
      [0, 1, 2, 2]
    )
    // The recovery brings an id, the others none.
    assert.deepEqual(
      await places(say('Triggered'), { ...say('Recovered'), id: 'r-1' }, say('Triggered')),
      [0, 1, 2]
    )
  },

  'another change of another scope, monitor or account is nothing between': async ({ places }) => {
    const say = { ...trigger, alert_id: 334 }
    assert.deepEqual(
      await places(
        say,
        { ...say, alert_scope: 'host:b', alert_transition: 'Recovered' },
        say,
        { ...say, alert_id: 335, alert_transition: 'Recovered' },
        say
      ),
      [0, 1, 0, 2, 0]
    )
  },

  "the sender's own id is enough, whatever else changes; its other bytes are kept": async ({
    places,
    app,
    ids
  }) => {
    const say = { ...trigger, alert_id: 336, id: 'e-336' }
    assert.deepEqual(
      await places(say, { ...say, attempt: 2 }, { ...say, attempt: 3 }, say),
      [0, 0, 0, 0]
    )
    const id = ids.at(-1) as number
    const raw = async (query: string) =>
      await (await fetch(`${app.url}/v1/webhooks/events/${id}/raw${query}`)).text()
    assert.deepEqual(
      [await raw(''), await raw('?delivery=2'), await raw('?delivery=3')],
      [say, { ...say, attempt: 2 }, { ...say, attempt: 3 }].map(body => JSON.stringify(body))
    )
    assert.equal((await fetch(`${app.url}/v1/webhooks/events/${id}/raw?delivery=4`)).status, 404)
  },

  "an id that is the monitor's, or comes with another change, is no delivery's": async ({
    places
  }) => {
    const say = { ...trigger, alert_id: 33700, id: 33700 }
    assert.deepEqual(await places({ ...say, date: 1 }, { ...say, date: 2 }), [0, 1])
    assert.deepEqual(
      await places(
        { ...trigger, id: 'e-338' },
        { ...trigger, id: 'e-338', alert_transition: 'Recovered' },
        { ...trigger, id: 'e-338' }
      ),
      [0, 1, 0]
    )
  },

  'a Standard Webhooks id': async ({ app }) => {
    const send = async (id: string, n: number) =>
      await post(app.call, { body: JSON.stringify({ n }), headers: { 'webhook-id': id } })
    const [first, again, other] = [
      await send('msg_1', 1),
      await send('msg_1', 2),
      await send('msg_2', 1)
    ]
    assert.deepEqual([first.status, again.status, other.status], [202, 200, 202])
    assert.equal(again.id, first.id)
  },

  'bytes that say nothing of a monitor': async ({ places }) => {
    assert.deepEqual(await places('disk full', 'disk full', 'disk full!', ''), [0, 0, 1, 2])
  }
}

test('what is the same delivery, and what is another alert', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const ids: number[] = []
  const places = async (...bodies: (object | string)[]): Promise<number[]> => {
    const found: number[] = []
    for (const body of bodies) {
      const { status, id } = await post(app.call, body)
      const known = ids.indexOf(id)
      assert.equal(status, known < 0 ? 202 : 200, JSON.stringify(body))
      if (known < 0) ids.push(id)
      found.push(known < 0 ? ids.length - 1 : known)
    }
    const least = Math.min(...found)
    return found.map(place => place - least)
  }
  for (const [name, run] of Object.entries(cases))
    await t.test(name, () => run({ app, ids, places }))
})

test('equal bytes are the same delivery for five minutes after they last came, whatever the minute', async t => {
  const app = await createTestApp(t, { plugins: [webhooks] })
  const body = { monitor_id: 12345678, alert_status: 'Alert', hostname: 'web-01' }
  /** Moves all that was remembered into the past. */
  const later = (seconds: number) =>
    app.db.raw("update webhooks_recent set seen_at = seen_at - ? * interval '1 second'", [seconds])
  const first = await post(app.call, body)
  for (const seconds of [70, 240, 290]) {
    await later(seconds)
    assert.deepEqual(await post(app.call, body), { status: 200, id: first.id })
  }
  await later(301)
  const second = await post(app.call, body)
  assert.equal(second.status, 202)
  assert.deepEqual(await post(app.call, body), { status: 200, id: second.id })
  assert.equal(
    ((await app.call('GET', `/v1/webhooks/events/${first.id}`)).body as { duplicates: number })
      .duplicates,
    3
  )
})

test('the same and different deliveries side by side, at two servers of one database', async t => {
  const connection = await createTestDatabase(t)
  const [left, right] = [
    await createTestApp(t, { plugins: [webhooks], connection }),
    await createTestApp(t, { plugins: [webhooks], connection })
  ]
  const changes = Array.from({ length: 40 }, (_, n) => ({
    ...trigger,
    alert_id: 400 + (n % 4),
    alert_transition: n % 2 === 0 ? 'Triggered' : 'Recovered',
    n,
    ...(n % 3 === 0 ? { id: `e-${n}` } : {})
  }))
  const sent = Array.from({ length: 6 }, () => changes).flat()
  const answers = await Promise.all(
    sent.map((body, at) => post(at % 2 === 0 ? left.call : right.call, body))
  )
  assert.ok(answers.every(({ status }) => status === 202 || status === 200))
  const stored = await left.db('webhooks_events').select('id', 'duplicates')
  assert.equal(answers.filter(({ status }) => status === 202).length, stored.length)
  assert.equal(
    stored.reduce((sum, row) => sum + row.duplicates + 1, 0),
    sent.length
  )
  // What has an id of its own is exactly one event each; what has none is at least one.
  const named = changes.flatMap((body, at) => ('id' in body ? [at] : []))
  for (const at of named)
    assert.equal(
      new Set(answers.filter((_, index) => index % changes.length === at).map(({ id }) => id)).size,
      1
    )
  assert.ok(stored.length >= changes.length)
})
