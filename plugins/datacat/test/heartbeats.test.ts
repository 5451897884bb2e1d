import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { definePlugin } from '../../../core/index.ts'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import { eventually } from '../../../core/test/eventually.ts'
import {
  DatacatToken,
  SessionCrashed,
  SessionEnded,
  SessionHung,
  SessionRecovered
} from '../contract.ts'
import datacat from '../plugin.ts'
import type { EventAnswer as Told } from './answers.ts'

const api = '/v1/datacat/sessions'
type App = Awaited<ReturnType<typeof createTestApp>>

const openSession = async (app: App, body: object): Promise<string> =>
  ((await app.call('POST', api, body)).body as { session_id: string }).session_id
const eventsOf = async (app: App, id: string): Promise<Told[]> =>
  ((await app.call('GET', `${api}/${id}/events`)).body as { events: Told[] }).events
const statusOf = async (app: App, id: string): Promise<string> =>
  ((await app.call('GET', `${api}/${id}`)).body as { status: string }).status
const named = (app: App, id: string, name: string): Promise<Told> =>
  eventually(`the event ${name}`, async () =>
    (await eventsOf(app, id)).findLast(event => event.name === name)
  )
/** A beat was heard somewhere between its two times. */
interface Beat {
  readonly sentAt: number
  readonly answeredAt: number
}
const beat = async (app: App, id: string, body?: object): Promise<Beat> => {
  const sentAt = Date.now()
  const answer = await app.call('POST', `${api}/${id}/heartbeat`, body)
  assert.equal(answer.status, 200)
  return { sentAt, answeredAt: Date.now() }
}
const listed = async (app: App, status: string): Promise<string[]> =>
  (
    (await app.call('GET', `${api}?status=${status}`)).body as { sessions: { id: string }[] }
  ).sessions.map(one => one.id)

/** Writes down every event of the contract that reaches another plugin. */
type Heard = SessionHung | SessionRecovered | SessionCrashed | SessionEnded
const heard: { event: string; payload: Heard }[] = []
const listener = definePlugin({
  id: 'listener',
  version: '1.0.0',
  needs: { sessions: DatacatToken },
  register(app) {
    const hear = (event: string) => async (payload: Heard) => {
      heard.push({ event, payload })
    }
    app.on(SessionHung, hear(SessionHung.id))
    app.on(SessionRecovered, hear(SessionRecovered.id))
    app.on(SessionCrashed, hear(SessionCrashed.id))
    app.on(SessionEnded, hear(SessionEnded.id))
  }
})
/** The limit plus one second, and what a loaded machine needs to answer. */
function within(what: string, told: Told, { sentAt, answeredAt }: Beat, limitMs: number): void {
  const at = Date.parse(told.timestamp)
  assert.ok(
    at - sentAt >= limitMs - 50 && at - answeredAt <= limitMs + 1_000,
    `${what} ${at - sentAt} ms after the beat was sent, its limit is ${limitMs} ms`
  )
}

describe('a watched session', () => {
  test('is hung, then crashed, within its limits, recovers when it beats, and says each once', async t => {
    const app = await createTestApp(t, { plugins: [datacat, listener] })
    const id = await openSession(app, {
      product: 'editor',
      version: '2',
      machine_id: 'm',
      hostname: 'h'
    })
    assert.equal((await app.call('GET', `${api}/${id}`)).status, 200)
    const first = await beat(app, id, { hung_after_seconds: 1, crashed_after_seconds: 3 })
    const hung = await named(app, id, 'application_appears_hung')
    within('hung', hung, first, 1_000)
    assert.deepEqual(hung.data, { seconds_since_heartbeat: 1, timeout: 1 })
    assert.deepEqual(
      [await statusOf(app, id), await listed(app, 'hung'), await listed(app, 'active')],
      ['hung', [id], []]
    )
    const crashed = await named(app, id, 'session_crashed_detected')
    within('crashed', crashed, first, 3_000)
    assert.deepEqual(
      [await statusOf(app, id), await listed(app, 'crashed'), await listed(app, 'hung')],
      ['crashed', [id], []]
    )
    await beat(app, id)
    const recovered = await named(app, id, 'application_recovered')
    assert.deepEqual(recovered.data, {})
    assert.deepEqual(
      [await statusOf(app, id), await listed(app, 'recovered'), await listed(app, 'ever_hung')],
      ['recovered', [id], [id]]
    )
    // The second time too, and still exactly one event a turn.
    await eventually('the second hang', async () => (await statusOf(app, id)) === 'hung')
    await beat(app, id)
    assert.deepEqual(
      (await eventsOf(app, id)).map(event => event.name),
      [
        'application_appears_hung',
        'session_crashed_detected',
        'application_recovered',
        'application_appears_hung',
        'application_recovered'
      ]
    )
    assert.equal((await app.call('POST', `/api/sessions/${id}/end`)).status, 200)
    await app.drain()
    const about = {
      session_id: id,
      product: 'editor',
      version: '2',
      machine_id: 'm',
      hostname: 'h'
    }
    const own = heard
      .filter(one => one.payload.session_id === id)
      .map(({ event, payload }) => {
        assert.ok(Math.abs(payload.at - Date.now()) < 60_000)
        const told = Object.entries(payload)
        const unsure = ['at', 'seconds_since_heartbeat']
        return { event, ...Object.fromEntries(told.filter(([name]) => !unsure.includes(name))) }
      })
    const expected = [
      {
        event: 'datacat.session-crashed',
        ...about,
        reason: 'no heartbeat for 3 s',
        found_at_start: false
      },
      { event: 'datacat.session-ended', ...about },
      { event: 'datacat.session-hung', ...about, timeout_seconds: 1, found_at_start: false },
      { event: 'datacat.session-hung', ...about, timeout_seconds: 1, found_at_start: false },
      { event: 'datacat.session-recovered', ...about, was: 'crashed' },
      { event: 'datacat.session-recovered', ...about, was: 'hung' }
    ]
    const order = (rows: object[]): Record<string, unknown>[] => {
      const keyOf = (row: Record<string, unknown>): string =>
        JSON.stringify([row['event'], row['was']])
      return rows
        .map(row => Object.fromEntries(Object.entries(row).sort()))
        .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
    }
    assert.deepEqual(order(own), order(expected))
  })

  test('is left alone once it ended or suspended itself, as one that never beat', async t => {
    const app = await createTestApp(t, { plugins: [datacat] })
    const limits = { heartbeat: { hung_after_seconds: 1, crashed_after_seconds: 2 } }
    const [ended, suspended, silent, watched] = await Promise.all([
      openSession(app, limits),
      openSession(app, { ...limits, machine_id: 'laptop', product: 'p' }),
      openSession(app, {}),
      openSession(app, limits)
    ])
    await app.call('POST', `${api}/${ended}/end`)
    await beat(app, suspended!, { suspended: true })
    await named(app, watched!, 'session_crashed_detected')
    assert.deepEqual(await Promise.all([ended, suspended, silent].map(id => statusOf(app, id!))), [
      'ended',
      'suspended',
      'active'
    ])
    assert.deepEqual(
      (await eventsOf(app, suspended!)).map(event => event.name),
      ['session_suspended']
    )
    await beat(app, ended!)
    assert.equal(await statusOf(app, ended!), 'ended')
    await beat(app, suspended!)
    assert.deepEqual(
      [await statusOf(app, suspended!), (await eventsOf(app, suspended!)).map(event => event.name)],
      ['active', ['session_suspended', 'session_resumed']]
    )
    // Its machine begins anew while it is suspended: it will not come back.
    await beat(app, suspended!, { suspended: true })
    await openSession(app, { machine_id: 'laptop', product: 'other' })
    assert.equal(await statusOf(app, suspended!), 'suspended')
    await openSession(app, { machine_id: 'laptop', product: 'p' })
    assert.deepEqual(
      [
        await statusOf(app, suspended!),
        (await named(app, suspended!, 'session_crashed_detected')).data?.['reason']
      ],
      ['crashed', 'its machine started a new session']
    )
  })

  test('beats many times at once, keeps its limits, and a wrong limit is named', async t => {
    const app = await createTestApp(t, {
      plugins: [datacat],
      env: { RAYNE_DATACAT_HUNG_AFTER_SECONDS: '30', RAYNE_DATACAT_CRASHED_AFTER_SECONDS: '90' }
    })
    const id = await openSession(app, {})
    await Promise.all(Array.from({ length: 50 }, () => beat(app, id)))
    const details = (await app.call('GET', `${api}/${id}`)).body as {
      heartbeat: object
      last_heartbeat_at: string
      event_count: number
    }
    assert.deepEqual(
      [details.heartbeat, details.event_count],
      [{ hung_after_seconds: 30, crashed_after_seconds: 90 }, 0]
    )
    assert.ok(Date.now() - Date.parse(details.last_heartbeat_at) < 30_000)
    const wrong = await app.call('POST', `${api}/${id}/heartbeat`, {
      hung_after_seconds: 5,
      crashed_after_seconds: 2
    })
    assert.deepEqual(
      [wrong.status, (wrong.body as { errors: { pointer: string }[] }).errors[0]?.pointer],
      [400, '/body/crashed_after_seconds']
    )
    await beat(app, id, { hung_after_seconds: 120 })
    assert.deepEqual(
      ((await app.call('GET', `${api}/${id}`)).body as { heartbeat: object }).heartbeat,
      { hung_after_seconds: 120, crashed_after_seconds: 120 }
    )
  })
})

test('after a restart the watch goes on, and what fell due meanwhile is found at once and says so', async t => {
  const connection = await createTestDatabase(t)
  const first = await createTestApp(t, { plugins: [datacat, listener], connection })
  const short = await openSession(first, {
    heartbeat: { hung_after_seconds: 1, crashed_after_seconds: 600 }
  })
  const sentAt = Date.now()
  const long = await openSession(first, {
    heartbeat: { hung_after_seconds: 4, crashed_after_seconds: 6 }
  })
  const opened = { sentAt, answeredAt: Date.now() }
  await first.close()
  await new Promise(resolve => {
    setTimeout(resolve, 1_300)
  })
  const second = await createTestApp(t, { plugins: [datacat, listener], connection })
  const readyAt = Date.now()
  assert.ok(
    Date.parse((await named(second, short, 'application_appears_hung')).timestamp) - readyAt < 1_000
  )
  within(
    'hung after a restart',
    await named(second, long, 'application_appears_hung'),
    opened,
    4_000
  )
  within(
    'crashed after a restart',
    await named(second, long, 'session_crashed_detected'),
    opened,
    6_000
  )
  await second.drain()
  const foundAtStart = (id: string): unknown => {
    const hung = heard.find(
      one => one.event === 'datacat.session-hung' && one.payload.session_id === id
    )
    return hung && 'found_at_start' in hung.payload && hung.payload.found_at_start
  }
  assert.deepEqual([foundAtStart(short), foundAtStart(long)], [true, false])
})

test('two applications judge a silent session once', async t => {
  const connection = await createTestDatabase(t)
  const apps = [
    await createTestApp(t, { plugins: [datacat], connection }),
    await createTestApp(t, { plugins: [datacat], connection })
  ]
  const ids = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      openSession(apps[n % 2]!, { heartbeat: { hung_after_seconds: 1, crashed_after_seconds: 2 } })
    )
  )
  for (const id of ids) await named(apps[0]!, id, 'session_crashed_detected')
  await new Promise(resolve => {
    setTimeout(resolve, 700)
  })
  for (const id of ids)
    assert.deepEqual(
      (await eventsOf(apps[1]!, id)).map(event => event.name),
      ['application_appears_hung', 'session_crashed_detected']
    )
})
