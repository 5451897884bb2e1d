import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'node:test'
import { createTestApp, createTestDatabase } from '../../../core/testing.ts'
import datadogProxy from '../../datadog-proxy/plugin.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import demo from '../plugin.ts'
import { createSimulator } from '../../../simulator/simulator.ts'

interface Wire {
  event_id: number
  status: string
  rca?: { url: string; status: string }
  notebook?: { id: string; url: string; simulated: boolean }
  analyses: { status: string; attempt: number; event_id: number }[]
  total_count: number
  report: { verdict: string; simulated: boolean; suspects: { title: string }[] }
}

const plugins = [demo, rca, webhooks, datadogProxy]
// The test payload of the first version's README.
const minikube = {
  monitor_id: 12345678,
  monitor_name: 'High CPU Alert',
  alert_status: 'Alert',
  hostname: 'web-server-01.prod.example.com',
  service: 'api-gateway',
  scope: 'host:web-server-01',
  APPLICATION_TEAM: 'platform-engineering',
  tags: ['env:production', 'team:platform']
}

async function until<T>(
  what: string,
  ms: number,
  ask: () => Promise<T | undefined | false>
): Promise<T> {
  for (const end = Date.now() + ms; ;) {
    const found = await ask()
    if (found) return found
    assert.ok(Date.now() < end, `${what} did not happen within ${ms} ms`)
    await sleep(50)
  }
}

test('without keys the simulated incident is analysed, and our alert gets a report and a notebook', async t => {
  const app = await createTestApp(t, { plugins, env: { RAYNE_ROLE: 'web,worker' } })
  const get = async (path: string): Promise<Wire> => (await app.call('GET', path)).body
  const first = await until('the first analysis', 60_000, async () => {
    const event = await get('/v1/webhooks/events/1')
    return event.status === 'processed' && event
  })
  const { report } = await get(first.rca?.url ?? '')
  assert.equal(report.verdict, 'suspected_change')
  assert.match(report.suspects[0]?.title ?? '', /checkout-api v2\.41\.0/)
  assert.equal(report.simulated, true)

  const { event_id } = (await app.call('POST', '/v1/webhooks/receive', minikube)).body as Wire
  const event = await until('the analysis of our alert', 60_000, async () => {
    const read = await get(`/v1/webhooks/events/${event_id}`)
    return read.status === 'processed' && read
  })
  assert.equal(event.notebook?.simulated, true)
  const page = await fetch(event.notebook?.url ?? '')
  assert.equal(page.status, 200)
  const html = await page.text()
  assert.match(html, /SIMULATED/)
  assert.match(html, /High CPU Alert/)
})

test('a restart goes on with the same incident and does not send its alert again', async t => {
  const connection = await createTestDatabase(t)
  for (let start = 0; start < 2; start++) {
    const app = await createTestApp(t, { plugins, connection })
    await app.drain()
    assert.equal(((await app.call('GET', '/v1/webhooks/events')).body as Wire).total_count, 1)
    await app.close()
  }
})

test('two applications start at once on an empty database, share the jobs, and analyse no alert twice', async t => {
  const connection = await createTestDatabase(t)
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const env = { RAYNE_ROLE: 'web,worker', RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts) }
  const [one, two] = await Promise.all([
    createTestApp(t, { plugins, connection, env }),
    createTestApp(t, { plugins, connection, env })
  ])
  const posts = await Promise.all(
    Array.from({ length: 120 }, (_, n) =>
      (n % 2 === 0 ? one : two).call('POST', '/v1/webhooks/receive', {
        ...minikube,
        alert_cycle_key: `c${n % 60}`
      })
    )
  )
  assert.equal(posts.filter(post => post.status === 202).length, 60)
  await until(
    '60 analyses',
    30_000,
    async () => ((await one.call('GET', '/v1/rca?status=done')).body as Wire).total_count === 60
  )
  const { analyses } = (await two.call('GET', '/v1/rca?per_page=100')).body as Wire
  assert.equal(new Set(analyses.map(analysis => analysis.event_id)).size, 60)
  assert.ok(analyses.every(analysis => analysis.attempt === 1 && analysis.status === 'done'))
  assert.equal(
    simulator
      .journal()
      .filter(entry => entry.method === 'POST' && entry.path.endsWith('/api/v1/notebooks')).length,
    60
  )
  const workers = await one.db('jobs.job').where({ name: 'rca.analyse' }).count({ total: '*' })
  assert.equal(Number(workers[0]?.['total']), 60)
})
