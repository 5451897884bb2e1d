import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { DatacatError, type DatacatClient, type Session } from 'rayne/datacat'
import {
  answers,
  calls,
  create,
  offlineDir,
  open,
  please,
  seconds,
  tell,
  until,
  watched
} from './harness.ts'

async function state(session: Session): Promise<void> {
  await session.updateState(
    { window: { open: ['cart'], width: 800 }, user: null },
    { timestamp: new Date(Date.now() - 60_000) }
  )
  await session.updateState({ window: { open: ['cart', 'payment'] }, status: 'running' })
  await session.flush()
  const { states } = await session.states()
  assert.deepEqual(states.at(-1)?.patch, {
    window: { open: ['cart', 'payment'] },
    status: 'running'
  })
  const now = (await session.details()).state
  assert.deepEqual(now['window'], { open: ['cart', 'payment'], width: 800 })
  assert.equal(now['user'], null)
  assert.deepEqual((await session.stateAt(Date.now() - 30_000))['window'], {
    open: ['cart'],
    width: 800
  })
}

async function events(session: Session): Promise<void> {
  const at = new Date(Date.now() - 5_000)
  await session.logEvent(
    'checkout',
    { items: 3, 'a.b': { deep: [1, null, 'ö'] } },
    { level: 'warning', message: 'slow', group: 'sales', labels: ['web'], timestamp: at }
  )
  await session.logEvent('nothing more')
  try {
    JSON.parse('{')
  } catch (error) {
    await session.logException(error, { data: { order: 7 } })
  }
  await session.flush()
  const [checkout] = (await session.events({ name: 'checkout' })).events
  assert.deepEqual(
    [checkout?.data, checkout?.level, checkout?.message, checkout?.group, checkout?.labels],
    [{ items: 3, 'a.b': { deep: [1, null, 'ö'] } }, 'warning', 'slow', 'sales', ['web']]
  )
  assert.equal(checkout?.timestamp, at.toISOString())
  const [exception] = (await session.events({ level: 'error' })).events
  assert.equal(exception?.exception?.type, 'SyntaxError')
  assert.ok((exception?.exception?.stacktrace.length ?? 0) > 1)
  const first = await session.events({ limit: 1 })
  const second = await session.events({ limit: 1, after: first.next_after ?? 0 })
  assert.deepEqual(
    [...first.events, ...second.events].map(event => event.name),
    ['checkout', 'nothing more']
  )
}

async function metrics(session: Session, client: DatacatClient): Promise<void> {
  await session.logMetric('cpu', 40, { tags: ['core:1'], unit: '%' })
  await session.logGauge('cpu', 60.5, { unit: '%' })
  await session.logCounter('orders')
  await session.logCounter('orders', 4)
  await session.logHistogram('latency', [0.1, 0.2, 9], { buckets: [0.15, 1], unit: 's' })
  await session.logTimer('render', 1.5, { count: 3 })
  assert.equal(
    await session.time('work', async () => {
      await sleep(15)
      return 'done'
    }),
    'done'
  )
  await session.flush()
  assert.deepEqual(
    (await session.points('cpu')).points.map(point => [point.value, point.tags ?? []]),
    [
      [40, ['core:1']],
      [60.5, []]
    ]
  )
  const [latency] = (await session.points('latency')).points
  assert.deepEqual(
    [latency?.type, latency?.count, latency?.metadata?.['buckets']],
    [
      'histogram',
      3,
      [
        { le: 0.15, count: 1 },
        { le: 1, count: 1 },
        { le: null, count: 1 }
      ]
    ]
  )
  const found = Object.fromEntries(
    (await session.details()).metrics.map(metric => [metric.name, metric])
  )
  assert.deepEqual(
    [found['cpu']?.points, found['cpu']?.maximum, found['orders']?.type, found['work']?.unit],
    [2, 60.5, 'counter', 's']
  )
  const series = await client.series({ metric: 'cpu', aggregation: 'peak', session: session.id })
  assert.deepEqual(
    [series.sessions_matched, series.peak, series.series[0]?.points.map(point => point.value)],
    [1, 60.5, [60.5]]
  )
}

async function searches(session: Session, client: DatacatClient): Promise<void> {
  const ids = async (filters: Parameters<DatacatClient['listSessions']>[0]): Promise<string[]> =>
    (await client.listSessions(filters)).sessions.map(one => one.id)
  const own = { product: 'shop', q: session.id.slice(0, 8) }
  assert.deepEqual(
    await ids({
      ...own,
      status: 'active',
      current: { status: 'running', 'window.width': 800 },
      contains: { 'window.open': 'payment' },
      perPage: 5
    }),
    [session.id]
  )
  assert.deepEqual(await ids({ ...own, current: { status: 'stopped' } }), [])
  await session.updateState({ status: 'idle' })
  await client.flush()
  assert.deepEqual(
    [
      await ids({ ...own, current: { status: 'running' } }),
      await ids({ ...own, ever: { status: 'running' } })
    ],
    [[], [session.id]]
  )
  const kinds = new Set<string>()
  for await (const record of client.exportSessions({ ...own, signal: seconds(20) }))
    kinds.add(record.type)
  assert.deepEqual([...kinds].sort(), ['event', 'metric', 'session', 'state'])
  const whole = (await client.getAllSessions()).find(one => one.id === session.id)
  assert.equal(
    whole?.events.some(event => event.name === 'checkout'),
    true
  )
  const { product, version, machine_id: machine, hostname } = await client.getSession(session.id)
  assert.deepEqual(
    [product, version, machine, hostname],
    ['shop', '2.1.0', 'till-7', 'till-7.shop.example']
  )
}

async function changes(session: Session, client: DatacatClient): Promise<void> {
  const seen = new Set<string>()
  const writing = setInterval(() => {
    void session.logEvent('seen')
    void session.logGauge('seen', 1)
    void session.updateState({ seen: Date.now() })
    void session.flush().catch(() => {})
  }, 300)
  try {
    for await (const change of client.live(session.id, { signal: seconds(30) })) {
      seen.add(change.type)
      if (['event', 'metric', 'state'].every(type => seen.has(type))) break
    }
  } finally {
    clearInterval(writing)
  }
  await session.flush()
}

async function heartbeats(session: Session): Promise<void> {
  const stop = session.startHeartbeat({
    hungAfterSeconds: 1,
    crashedAfterSeconds: 300,
    intervalMs: 100
  })
  await until('the first beat', async () => (await session.details()).last_heartbeat_at !== null)
  stop()
  await until('the hang', async () => (await session.details()).status === 'hung')
  await session.heartbeat()
  await until(
    'the recovery',
    async () => (await session.events({ name: 'application_recovered' })).events.length === 1
  )
  assert.equal((await session.events({ name: 'application_appears_hung' })).events.length, 1)
  await session.suspend()
  assert.equal((await session.details()).status, 'suspended')
}

async function refusals(session: Session, client: DatacatClient): Promise<void> {
  const unknown = '00000000-0000-4000-8000-000000000000'
  await assert.rejects(
    client.getSession(unknown),
    error => error instanceof DatacatError && error.status === 404
  )
  const direct = open({ buffered: false })
  const same = watched('session', direct.openSession(session.id))
  await same.logEvent('one request')
  await assert.rejects(
    same.logEvent('x'.repeat(257)),
    error =>
      error instanceof DatacatError &&
      error.status === 400 &&
      error.errors[0]?.pointer.endsWith('/events/0/name') === true
  )
  const before = client.stats()
  await session.logEvent('x'.repeat(257))
  await session.logEvent('taken all the same')
  await session.flush()
  assert.deepEqual(
    [client.stats().rejected - before.rejected, client.stats().delivered - before.delivered],
    [1, 1]
  )
  assert.equal((await session.events({ name: 'taken all the same' })).events.length, 1)
  await direct.close()
}

async function outage(session: Session): Promise<void> {
  const first = open({ offlineDir, retries: 0 })
  const writer = first.openSession(session.id)
  await writer.logEvent('outage', { n: 0 })
  await first.flush()
  await please('stop')
  for (let n = 1; n <= 40; n++) {
    await writer.logEvent('outage', { n })
    if (n % 10 === 0) await first.flush({ signal: seconds(20) })
  }
  const born = await create(first, { state: { born: 'offline' } })
  await born.logGauge('offline', 1)
  await first.close({ signal: seconds(20) })
  assert.deepEqual([first.stats().stored, first.stats().queued, first.stats().dropped], [41, 0, 0])
  await please('start')
  const second = open({ offlineDir })
  await second.flush({ signal: seconds(30) })
  assert.deepEqual(
    [second.stats().recovered, second.stats().delivered, second.stats().storedBytes],
    [41, 41, 0]
  )
  const kept = (await session.events({ name: 'outage', limit: 1000 })).events.map(
    event => event.data?.['n']
  )
  assert.deepEqual(
    kept,
    Array.from({ length: 41 }, (_, n) => n)
  )
  assert.deepEqual((await born.details()).state['born'], 'offline')
  await second.deleteSession(born.id)
  await assert.rejects(
    born.details(),
    error => error instanceof DatacatError && error.status === 404
  )
  await second.close()
}

async function main(): Promise<void> {
  const client = open()
  const session = await create(client, { state: { started: true } })
  const step = async (name: string, work: () => Promise<void>): Promise<void> => {
    await work()
    tell({ step: name })
  }
  await step('state, and the state of a moment', () => state(session))
  await step('events and exceptions', () => events(session))
  await step('gauges, counters, histograms, timers and a series', () => metrics(session, client))
  await step('lists, filters and exports', () => searches(session, client))
  await step('live changes', () => changes(session, client))
  await step('a hang, its recovery and a pause', () => heartbeats(session))
  await step('refusals name the field, and take nothing else along', () =>
    refusals(session, client)
  )
  await step('what is written while the server is dead arrives once and in order', () =>
    outage(session)
  )
  await step('the end', async () => {
    await session.end()
    assert.ok((await session.details()).ended_at)
    assert.deepEqual([session.stats().queued, session.stats().dropped], [0, 0])
    await session.close()
    await client.close()
  })
  tell({ done: true, session_id: session.id, calls: [...calls].sort() })
  answers.close()
}

await main()
