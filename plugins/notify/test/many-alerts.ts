import { createTestApp, createTestDatabase, type Test } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import rca from '../../rca/plugin.ts'
import { fakeDatadog } from '../../rca/test/fake-datadog.ts'
import webhooks from '../../webhooks/plugin.ts'
import notify from '../plugin.ts'
import { startReceiver } from './receiver.ts'

/** What is there in the end, and what the service of the channel was asked to do. */
export interface Outcome {
  readonly events: number
  readonly duplicates: number
  readonly analyses: number
  readonly incidents: readonly { readonly occurrences: number; readonly members: number }[]
  readonly sent: number
  readonly edited: number
  readonly whys: readonly string[]
  /** How long each webhook waited for its answer, in ms. */
  readonly waits: readonly number[]
}
type Sender = (bodies: readonly object[], atOnce: number) => Promise<void>

/** An application with a fake Datadog, and a channel whose messages are edited. */
async function start(t: Test, env: Readonly<Record<string, string>>) {
  const slack = await startReceiver(t, [], { body: '{"ok":true,"channel":"C1","ts":"1.1"}' })
  const connection = await createTestDatabase(t)
  const open = () =>
    createTestApp(t, {
      connection,
      plugins: [rca, webhooks, notify],
      fakes: [[DatadogToken, fakeDatadog().service]],
      env: {
        RAYNE_NOTIFY_CHANNELS: JSON.stringify([
          { name: 'team', kind: 'slack', token: 'x', channel: 'C1', api_url: slack.url }
        ]),
        ...env
      }
    })
  const waits: number[] = []
  let app = await open()
  const send: Sender = async (bodies, atOnce) => {
    const left = bodies.values()
    const take = async (): Promise<void> => {
      for (const body of left) {
        const begun = performance.now()
        const { status } = await app.call('POST', '/v1/webhooks/receive', body)
        if (status !== 202 && status !== 200) throw new Error(`a webhook was answered ${status}`)
        waits.push(performance.now() - begun)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, take))
  }
  const numbers = async (sql: string): Promise<number[]> =>
    ((await app.db.raw(sql)).rows as { n: number }[]).map(({ n }) => n)
  return {
    send,
    app: () => app,
    async restart() {
      await app.close()
      app = await open()
    },
    async outcome(): Promise<Outcome> {
      const [events = 0, duplicates = 0, analyses = 0] = await numbers(
        `select count(*)::int as n from webhooks_events
        union all select coalesce(sum(duplicates), 0)::int from webhooks_events
        union all select count(*)::int from rca_analyses where status = 'done'`
      )
      const { rows } = await app.db.raw(
        `select sum(m.occurrences)::int as occurrences, count(*)::int as members,
          array_agg(m.why) as whys
        from webhooks_incidents i join webhooks_members m on m.incident_id = i.id
        where i.state <> 'merged' group by i.id order by i.id`
      )
      const asked = (what: string): number =>
        slack.got.filter(({ path }) => path.endsWith(what)).length
      return {
        events,
        duplicates,
        analyses,
        waits,
        incidents: rows,
        sent: asked('chat.postMessage'),
        edited: asked('chat.update'),
        whys: rows.flatMap(({ whys }: { whys: string[] }) => whys)
      }
    }
  }
}

const times = <T>(many: number, make: (n: number) => T): T[] =>
  Array.from({ length: many }, (_, n) => make(n))
const change = (n: number, facts: object = {}): object => ({
  id: `change-${n}`,
  monitor_id: 1_000 + n,
  monitor_name: `monitor ${n}`,
  service: `service-${n}`,
  alert_scope: `service:service-${n}`,
  alert_status: 'Alert',
  alert_transition: 'Triggered',
  alert_cycle_key: `cycle-${n}`,
  ...facts
})

/** Distinct changes, each sent 10 times in turn, 32 times at once and again after a restart; then all of them flap. */
export async function repeatedChanges(
  t: Test,
  many: number
): Promise<{ readonly repeated: Outcome; readonly flapped: Outcome }> {
  const { send, app, restart, outcome } = await start(t, {
    RAYNE_WEBHOOKS_SETTLE_SECONDS: '0'
  })
  const all = times(many, n => change(n))
  for (let round = 0; round < 10; round++) await send(all, 1)
  for (const one of all)
    await send(
      times(32, () => one),
      32
    )
  await app().drain()
  await restart()
  await send(all, 8)
  await app().drain()
  const repeated = await outcome()
  const over = { alert_status: 'OK', alert_transition: 'Recovered' }
  for (const [round, facts] of [over, {}, over, {}].entries()) {
    await send(
      times(many, n => change(n, { ...facts, id: `flap-${round}-${n}` })),
      8
    )
    await app().drain()
  }
  return { repeated, flapped: await outcome() }
}

/** A burst of alerts of 40 monitors on one machine. */
export async function storm(t: Test, many: number): Promise<Outcome> {
  const { send, app, outcome } = await start(t, { RAYNE_WEBHOOKS_SETTLE_SECONDS: '600' })
  const alerts = times(many, n =>
    change(n % 40, { id: `storm-${n}`, hostname: 'db-7', service: `service-${n % 40}` })
  )
  await send(alerts, 32)
  await app().drain()
  // The end of the gathering, now.
  const { db } = app()
  await db('jobs.job')
    .where('name', 'webhooks.settle')
    .update({ start_after: new Date(0) })
  await app().drain()
  return outcome()
}
