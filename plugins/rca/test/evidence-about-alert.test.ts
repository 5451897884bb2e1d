import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import demo from '../../demo/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import type { EvidenceSlot, Report } from '../contract.ts'
import rca from '../plugin.ts'

type Slots = Readonly<Record<string, EvidenceSlot>>
interface Posted {
  readonly event_id: number
}
interface Event {
  readonly received_at: string
  readonly rca: { readonly url: string }
}

async function started(t: TestContext) {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, datadogProxy, rca, webhooks],
    // Each alert here is a question of its own: scopes of one monitor would be one incident.
    env: {
      RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts),
      RAYNE_WEBHOOKS_GROUPING: 'off'
    }
  })
  let posts = 0
  return async (
    said: Readonly<Record<string, unknown>>
  ): Promise<{ report: Report; slots: Slots; receivedAt: number }> => {
    const alert = {
      alert_id: '23149714',
      alert_cycle_key: `cycle-${posts++}`,
      alert_transition: 'Triggered',
      date: simulator.t0 + 180_000,
      ...said
    }
    const { event_id: id }: Posted = (await app.call('POST', '/v1/webhooks/receive', alert)).body
    await app.drain()
    const event: Event = (await app.call('GET', `/v1/webhooks/events/${id}`)).body
    const { report }: { report: Report } = (await app.call('GET', event.rca.url)).body
    return {
      report,
      slots: Object.fromEntries(report.evidence.map(slot => [slot.slot, slot])),
      receivedAt: Date.parse(event.received_at)
    }
  }
}

test('what is asked of Datadog is about the alert', async t => {
  const analyse = await started(t)
  await t.test('a multi-alert draws the group that alerts and no other', async () => {
    const { report, slots } = await analyse({
      alert_scope: 'host:web-01',
      hostname: 'web-01',
      alert_query: 'avg(last_5m):avg:system.cpu.user{env:prod} by {host} > 90'
    })
    assert.equal(slots['metric']?.asked, 'avg:system.cpu.user{env:prod,host:web-01} by {host}')
    assert.equal(slots['metric']?.rows.length, 1)
    assert.match(slots['metric']?.rows[0]?.text ?? '', /host:web-01/)
    assert.deepEqual(
      slots['hosts']?.rows.map(row => row.facts['host']),
      ['web-01']
    )
    assert.match(slots['logs']?.asked ?? '', /host:\(web-01 OR web-01\.\*\)/)
    assert.doesNotMatch(JSON.stringify(report.findings), /app-0\d/)
  })

  await t.test('wrappers of an evaluation are taken off before Datadog is asked', async () => {
    for (const [query, inner] of [
      [
        'change(avg(last_5m),last_1h):avg:system.load.1{env:prod} > 1',
        'avg:system.load.1{env:prod}'
      ],
      [
        "avg(last_4h):anomalies(avg:system.load.1{env:prod}, 'agile', 2, interval=60) >= 1",
        'avg:system.load.1{env:prod}'
      ]
    ]) {
      const { slots } = await analyse({ alert_query: query })
      assert.deepEqual([slots['metric']?.outcome, slots['metric']?.asked], ['rows', inner])
    }
  })

  await t.test(
    'a query that Datadog refuses is asked again without its functions, and that is said',
    async () => {
      const { slots } = await analyse({
        alert_query: 'avg(last_5m):ewma_10(avg:system.load.1{env:prod}) > 1'
      })
      assert.deepEqual(
        [slots['metric']?.outcome, slots['metric']?.asked],
        ['rows', 'avg:system.load.1{env:prod}']
      )
      assert.match(
        slots['metric']?.note ?? '',
        /the series alone, because the whole query was refused/
      )
    }
  )
})

test('hosts, windows and the own search of a monitor are those of the alert', async t => {
  const analyse = await started(t)
  await t.test(
    'an address is no prefix of another, and a host nobody knows is said to be unknown',
    async () => {
      const address = await analyse({ hostname: '10.0.12.7' })
      assert.match(address.slots['logs']?.asked ?? '', /host:10\.0\.12\.7(?!\d)/)
      assert.doesNotMatch(address.slots['logs']?.asked ?? '', /host:10\*/)
      assert.equal(address.slots['hosts']?.outcome, 'empty')
      const cut = await analyse({ hostname: 'web-0' })
      assert.deepEqual([cut.slots['hosts']?.outcome, cut.slots['hosts']?.rows], ['empty', []])
      assert.match(
        cut.slots['hosts']?.note ?? '',
        /hosts contain this name, and none of them is it/
      )
    }
  )

  await t.test(
    'an alert from the future is read at its receipt, and the report says so',
    async () => {
      const said = Date.now() + 7_200_000
      const { report, receivedAt } = await analyse({ date: String(said) })
      assert.ok(Date.parse(report.window.to) <= receivedAt, report.window.to)
      assert.ok(report.onset && Date.parse(report.onset.at) <= receivedAt)
      assert.match(report.findings[0]?.text ?? '', /lies after its receipt/)
    }
  )

  await t.test(
    'the own search of a log, a trace and an event monitor is asked where its lines are',
    async () => {
      const logs = await analyse({
        alert_scope: 'service:checkout-api',
        alert_query:
          'logs("status:error env:prod").index("*").rollup("count").by("service").last("5m") > 10'
      })
      assert.equal(logs.slots['logs']?.asked, '(status:error env:prod) service:checkout-api')
      assert.equal(logs.slots['logs']?.title, 'Log lines the monitor counts')
      assert.deepEqual(
        [...new Set(logs.slots['logs']?.rows.map(row => row.facts['service']))],
        ['checkout-api']
      )
      assert.match(logs.slots['metric']?.note ?? '', /no metric query to draw: it counts logs/)

      const spans = await analyse({
        alert_query:
          'trace-analytics("service:checkout-api env:prod").rollup("count").last("5m") > 100'
      })
      assert.deepEqual(
        [spans.slots['spans']?.outcome, spans.slots['spans']?.asked],
        ['truncated', 'service:checkout-api env:prod']
      )
      assert.equal(spans.slots['spans']?.rows[0]?.facts['service'], 'checkout-api')

      const events = await analyse({
        alert_query: 'events("source:deployment env:prod").rollup("count").last("1h") > 0'
      })
      assert.deepEqual(
        [events.slots['events']?.outcome, events.slots['events']?.asked],
        ['rows', 'source:deployment env:prod']
      )
    }
  )
})
