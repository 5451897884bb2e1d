import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createTestApp } from '../../core/testing.ts'
import { DatadogToken } from '../../plugins/datadog-proxy/contract.ts'
import datadogProxy from '../../plugins/datadog-proxy/plugin.ts'
import rca from '../../plugins/rca/plugin.ts'
import webhooks from '../../plugins/webhooks/plugin.ts'
import type { DatadogSnapshot } from '../../plugins/rca/service/snapshot.ts'
import demo from '../../plugins/demo/plugin.ts'
import { createSimulator, type Simulator } from '../simulator.ts'
import type { RecordedCalls } from '../world/recorded-calls.ts'
import { checkedWorld } from '../world/world-file.ts'
import type { Datadog } from '../../plugins/datadog-proxy/service/datadog.ts'

interface Report {
  verdict: string
  onset: { at: string }
  suspects: { title: string; score: number; at: string; service: string | null }[]
  findings: { text: string }[]
  evidence: { slot: string; outcome: string; rows: { text: string }[]; note: string | null }[]
  simulated: boolean
}
type App = Awaited<ReturnType<typeof createTestApp>>

const start = async (t: TestContext, simulator: Simulator): Promise<App> => {
  t.after(() => simulator.close())
  return createTestApp(t, {
    plugins: [demo, rca, webhooks, datadogProxy],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) }
  })
}

/** Sends a webhook and waits for the report of its analysis. */
async function reportOf(app: App, webhook: string): Promise<Report> {
  const { event_id: id } = (await app.call('POST', '/v1/webhooks/receive', webhook)).body as {
    event_id: number
  }
  await app.drain()
  const event = (await app.call('GET', `/v1/webhooks/events/${id}`)).body as {
    rca: { url: string }
  }
  return ((await app.call('GET', event.rca.url)).body as { report: Report }).report
}

const essence = ({ verdict, onset, suspects, findings }: Report) => ({
  verdict,
  onset,
  suspects,
  findings
})

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-world-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return path.join(folder, 'world.json')
}

test('what was recorded of an incident is replayed to the same report, without the scenario', async t => {
  const original = await createSimulator({ scenario: 's1' })
  const app = await start(t, original)
  const file = fileOf(t)
  const incident = original.accounts[0]!
  // Loading the client may take longer than a slot of an analysis on a busy machine; that is not what is tested here.
  await (app.services.resolve({ one: DatadogToken })['one'] as Datadog)
    .account()
    .then(account =>
      account.logs({ query: 'nothing', window: { from: 1 as never, to: 2 as never }, limit: 1 })
    )
  const fired = JSON.parse(original.renderWebhook()) as { monitor_id: string }
  const before = await reportOf(app, JSON.stringify(fired))
  assert.equal(
    before.verdict,
    'suspected_change',
    before.evidence.map(slot => `${slot.slot}: ${slot.outcome} ${slot.note}`).join('\n')
  )
  const options = { account: incident.name, monitor: fired.monitor_id, window: '1h' }
  const { value, lines } = await app.run('record', { file }, options)
  assert.ok((value as { calls: object[] }).calls.length >= 4 && lines.length >= 6, lines.join('\n'))
  assert.equal(statSync(file).mode & 0o777, 0o600)

  const replay = await createSimulator({ world: file })
  const replaying = await start(t, replay)
  const after = await reportOf(replaying, replay.renderWebhook())
  assert.deepEqual(essence(after), essence(before))
  assert.deepEqual(
    after.evidence.map(slot => [slot.slot, slot.outcome, slot.rows.map(row => row.text)]),
    before.evidence.map(slot => [slot.slot, slot.outcome, slot.rows.map(row => row.text)])
  )
  assert.equal(after.simulated, true)
})

/** An account whose answers hold what must not leave the house. */
const secretive: Partial<DatadogSnapshot> = {
  alert: {
    monitor_id: '7',
    monitor_name: 'High CPU',
    alert_transition: 'Triggered',
    alert_status: 'Alert',
    service: 'pay',
    env: 'prod',
    hostname: 'db-1.prod.example.com',
    date: '1767225600000',
    tags: 'service:pay,env:prod'
  },
  calls: [
    {
      call: 'monitor',
      input: { id: '7' },
      rows: [
        {
          id: '7',
          name: 'High CPU',
          type: 'query alert',
          query: 'avg(last_5m):avg:system.cpu.user{service:pay,env:prod,host:db-1} > 90',
          message: '@ada@example.com see wiki',
          tags: ['service:pay', 'env:prod'],
          state: 'Alert',
          thresholds: { critical: 90 },
          priority: null
        }
      ]
    },
    {
      call: 'logs',
      input: { query: 'service:pay', window: { from: 0 as never, to: 1 as never }, limit: 10 },
      rows: Array.from({ length: 8 }, (_, n) => ({
        id: `l${n}`,
        at: (1767225600000 - n * 1000) as never,
        status: 'error',
        service: 'pay',
        host: 'db-1.prod.example.com',
        tags: ['env:prod', 'host:db-1.prod.example.com'],
        message:
          `login of ada@example.com from 10.1.2.${n} and fe80::1ff:fe23:4567:890a on db-1 ` +
          'with api_key=abcdef0123456789abcdef0123456789 at 12:34:56',
        attributes: {
          password: 'hunter2hunter2',
          mail: 'bob@example.org',
          note: 'Bearer k7Qx2mNp9RtV4wYz'
        }
      }))
    },
    {
      call: 'events',
      input: { query: 'x', window: { from: 0 as never, to: 1 as never }, limit: 10 },
      rows: [],
      failure: { kind: 'forbidden', status: 403, message: 'Forbidden' }
    },
    {
      call: 'hosts',
      input: { filter: 'db-1', limit: 20 },
      rows: [
        {
          name: 'db-1.prod.example.com',
          up: true,
          apps: [],
          sources: [],
          tags: ['env:prod'],
          metrics: { cpu: 97 }
        }
      ]
    }
  ]
}
const snapshot = (): DatadogSnapshot =>
  ({
    format: 'rayne-world',
    version: 1,
    recorded_at: '2026-01-01T00:10:00.000Z',
    account: { name: 'prod', site: 'datadoghq.eu', simulated: false },
    window: { from: '2025-12-31T23:00:00.000Z', to: '2026-01-01T00:10:00.000Z' },
    redacted: { emails: 0, addresses: 0, hosts: 0 },
    ...secretive
  }) as DatadogSnapshot

test('secrets and addresses never reach the file; host names do unless they are to be replaced', async t => {
  const simulator = await createSimulator({ world: snapshot() })
  const app = await start(t, simulator)
  const file = fileOf(t)
  const options = {
    account: 'prod',
    monitor: '7',
    window: '2h',
    at: '2026-01-01T00:00:00Z',
    service: 'pay'
  }
  await app.run('record', { file }, options)
  const kept = readFileSync(file, 'utf8')
  for (const secret of [
    'ada@example.com',
    'bob@example.org',
    '10.1.2.',
    'fe80::',
    'abcdef0123456789',
    'hunter2',
    'k7Qx2mNp9RtV4wYz'
  ])
    assert.ok(!kept.includes(secret), secret)
  assert.match(
    kept,
    /login of <email-\d> from <address-\d+> and <address-\d+> on db-1 with api_key=\[redacted\] at 12:34:56/
  )
  assert.ok(kept.includes('db-1.prod.example.com'))
  const read = JSON.parse(kept) as DatadogSnapshot
  assert.deepEqual(
    [read.redacted.hosts, read.redacted.emails >= 2, read.redacted.addresses >= 9],
    [0, true, true]
  )

  await app.run('record', { file }, { ...options, host: 'db-1.prod.example.com', anonymise: true })
  const renamed = readFileSync(file, 'utf8')
  assert.ok(!/db-1|example\.com/.test(renamed), /.*(?:db-1|example\.com).*/.exec(renamed)?.[0])
  assert.ok(renamed.includes('"hostname": "host-1"'))
  await createSimulator({ world: file }).then(again => again.close())
})

test('what the recorder writes is a world by the schema, and the schema refuses what is none', async t => {
  const app = await start(t, await createSimulator({ world: snapshot() }))
  const file = fileOf(t)
  const at = '2026-01-01T00:00:00Z'
  await app.run(
    'record',
    { file },
    { account: 'prod', monitor: '7', window: '2h', at, service: 'pay' }
  )
  const written = JSON.parse(readFileSync(file, 'utf8')) as RecordedCalls
  const read = checkedWorld(written, 'the file')
  assert.deepEqual([...new Set(read.calls.map(one => one.call))].toSorted(), [
    'events',
    'hosts',
    'logs',
    'metric',
    'monitor',
    'spans'
  ])
  assert.ok(read.calls.some(one => one.rows.length > 0))
  for (const [wrong, where] of [
    [{ version: 2 }, /version/],
    [{ calls: [{ call: 'weather', input: {}, rows: [] }] }, /calls/],
    [{ calls: [{ call: 'monitor', input: {}, rows: [] }] }, /calls/],
    [{ calls: [{ call: 'logs', input: { query: '' }, rows: [{ id: 7 }] }] }, /calls/]
  ] as const)
    assert.throws(() => checkedWorld({ ...written, ...wrong }, 'the file'), where)
})

test('a failure that was recorded is answered again; other questions get the rows that match them', async t => {
  const simulator = await createSimulator({ world: snapshot() })
  const app = await start(t, simulator)
  const account = await (app.services.resolve({ one: DatadogToken })['one'] as Datadog).account(
    'prod'
  )
  const window = { from: 1767225590000 as never, to: 1767225600000 as never }
  await assert.rejects(account.events({ query: 'x', window, limit: 5 }), /403: Forbidden/)
  assert.equal((await account.logs({ query: 'service:pay', window, limit: 3 })).rows.length, 3)
  assert.equal((await account.logs({ query: 'service:pay', window, limit: 3 })).truncated, true)
  assert.equal(
    (await account.logs({ query: 'status:error host:db-1*', window, limit: 100 })).rows.length,
    8
  )
  assert.equal(
    (await account.logs({ query: 'status:error service:other', window, limit: 100 })).rows.length,
    0
  )
  assert.equal((await account.hosts({ filter: 'db', limit: 5 })).rows[0]?.metrics.cpu, 97)
  await assert.rejects(account.monitor('8'), /404/)
  assert.equal((await account.monitors({ limit: 5 })).rows.length, 1)
  await account.validate()
})

test('a wrong file, monitor, window or time is a sentence', async t => {
  const file = fileOf(t)
  writeFileSync(file, '{"format":"other"}')
  await assert.rejects(
    createSimulator({ world: file }),
    /world\.json' is no recorded world: .*(version|format|required)/
  )
  const app = await start(t, await createSimulator({ world: snapshot() }))
  const run = (options: object, where = file) =>
    app.run('record', { file: where }, { account: 'prod', monitor: '7', window: '1h', ...options })
  await assert.rejects(run({ account: 'nobody' }), /no Datadog account is named 'nobody'/)
  await assert.rejects(run({ monitor: '8' }), /404/)
  await assert.rejects(run({ window: 'soon' }), /--window takes 5m to 7d, as 30m or 2h, not 'soon'/)
  await assert.rejects(run({ at: 'soon' }), /--at takes a time such as/)
  await assert.rejects(run({}, path.join(file, 'x', 'y.json')), /cannot write/)
})
