import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogError, DatadogToken, type DatadogAccount } from '../../datadog-proxy/contract.ts'
import webhooks from '../../webhooks/plugin.ts'
import type { Report } from '../contract.ts'
import rca from '../plugin.ts'
import { deploy, fakeDatadog } from './fake-datadog.ts'

interface Wire {
  id: string
  status: string
  error: string | null
  attempt: number
  report: Report
  notebook: { id: string; url: string } | null
  analyses: { id: string; summary: string; verdict: string }[]
  total_count: number
  rca?: { id: string; status: string; url: string }
  event_id: number
}

interface Jobs {
  jobs: { id: string; name: string; error: string | null }[]
}

const at = Date.now() - 600_000
const alert = (extra: object = {}) => ({
  monitor_id: 7,
  monitor_name: 'High CPU',
  alert_status: 'Alert',
  alert_cycle_key: 'c1',
  service: 'checkout-api',
  hostname: 'web-1.example.com',
  tags: 'env:prod',
  date: at,
  ...extra
})

async function started(t: TestContext, overrides: Partial<DatadogAccount> = {}, lines?: string[]) {
  const fake = fakeDatadog(overrides)
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    env: { RAYNE_WEBHOOKS_SETTLE_SECONDS: '0' },
    fakes: [[DatadogToken, fake.service]],
    ...(lines
      ? {
          onLog: (line: string) => {
            lines.push(line)
          }
        }
      : {})
  })
  const post = async (body: object): Promise<number> =>
    ((await app.call('POST', '/v1/webhooks/receive', body)).body as Wire).event_id
  const event = async (id: number) =>
    (await app.call('GET', `/v1/webhooks/events/${id}`)).body as Wire
  const analysis = async (id: string) => (await app.call('GET', `/v1/rca/${id}`)).body as Wire
  /** Makes what waits for its retry due now. */
  const hurry = async () => {
    await app
      .db('jobs.job')
      .where({ state: 'retry' })
      .update({ start_after: new Date(0) })
    return app.drain()
  }
  const jobs = async (state: string) =>
    ((await app.call('GET', `/v1/jobs?state=${state}`)).body as Jobs).jobs
  return { app, fake, post, event, analysis, hurry, jobs }
}

test('an alert becomes one analysis with a report and a notebook; the event links to both', async t => {
  const { app, fake, post, event, analysis } = await started(t)
  const id = await post(alert())
  assert.equal((await event(id)).status, 'pending')
  await app.drain()
  const read = await event(id)
  assert.equal(read.status, 'processed')
  assert.equal(read.notebook?.url, 'https://app.datadoghq.com/notebook/1')
  const { report, status } = await analysis(read.rca?.id ?? '')
  assert.equal(status, 'done')
  assert.equal(report.verdict, 'not_established')
  assert.deepEqual(
    report.evidence.map(slot => [slot.slot, slot.outcome]),
    [
      ['monitor', 'rows'],
      ['metric', 'empty'],
      ['changes', 'empty'],
      ['logs', 'empty'],
      ['hosts', 'empty'],
      ['traces', 'empty'],
      ['metric-requests', 'empty'],
      ['metric-versions', 'empty'],
      ['metric-hosts', 'empty'],
      ['metric-resources', 'empty'],
      ['logs-checkout-api', 'empty']
    ]
  )
  assert.ok(report.evidence.filter(slot => slot.outcome === 'empty').every(slot => slot.note))
  assert.match(
    fake.notebooks[0]?.name ?? '',
    /^\[Incident Report\] High CPU - \d{4}-\d\d-\d\d \[rayne:[0-9a-z]{10}\]$/
  )
  const list = (await app.call('GET', '/v1/rca')).body as Wire
  assert.deepEqual([list.total_count, list.analyses[0]?.verdict], [1, 'not_established'])
})

test('recoveries and missing data are not analysed; a duplicate delivery adds nothing', async t => {
  const { app, fake, post } = await started(t)
  await post(alert({ alert_status: 'OK', alert_transition: 'Recovered', alert_cycle_key: 'r' }))
  await post(alert({ alert_status: 'No Data', alert_transition: 'No Data', alert_cycle_key: 'n' }))
  await post(alert())
  await post(alert())
  await app.drain()
  assert.equal(((await app.call('GET', '/v1/rca')).body as Wire).total_count, 1)
  assert.equal(fake.notebooks.length, 1)
})

test('the window is anchored on the time of the alert, not on now', async t => {
  const { app, post, event, analysis } = await started(t)
  const old = Date.parse('2026-01-02T03:04:05Z')
  const id = await post(alert({ date: old }))
  await app.drain()
  const { report } = await analysis((await event(id)).rca?.id ?? '')
  assert.deepEqual(report.window, {
    from: '2026-01-02T02:04:05.000Z',
    to: '2026-01-02T03:14:05.000Z'
  })
})

test('a failed, a forbidden and a truncated question are shown as what they are, and the rest is used', async t => {
  const { app, post, event, analysis } = await started(t, {
    logs: async () => {
      throw new DatadogError('forbidden', 'the application key lacks logs_read_data', {
        datadogStatus: 403
      })
    },
    hosts: async () => {
      throw new DatadogError('timeout', 'no answer within 12 s')
    },
    events: async ({ query }) => ({
      rows: [deploy(at, 4, 'checkout-api', 'v2')],
      truncated: true,
      warnings: [],
      asked: { query, limit: 1 }
    })
  })
  const id = await post(alert())
  await app.drain()
  const { report, status } = await analysis((await event(id)).rca?.id ?? '')
  assert.equal(status, 'done')
  const outcome = Object.fromEntries(report.evidence.map(slot => [slot.slot, slot.outcome]))
  assert.deepEqual(
    [outcome['logs'], outcome['hosts'], outcome['changes']],
    ['forbidden', 'error', 'truncated']
  )
  assert.match(report.evidence.find(slot => slot.slot === 'logs')?.note ?? '', /logs_read_data/)
  assert.match(report.summary, /2 of 10 questions to Datadog failed \(logs, hosts\)/)
})

test('a Datadog that is away for a while delays the analysis and does not become "nothing found"', async t => {
  let away = true
  const down = async (): Promise<never> => {
    throw new DatadogError('unavailable', 'Datadog answered 502')
  }
  const { app, fake, post, event, analysis, hurry } = await started(t)
  const working = await fake.service.account()
  fake.service.account = async () =>
    away
      ? { ...working, monitor: down, events: down, logs: down, hosts: down, metric: down }
      : working
  const id = await post(alert())
  await app.drain()
  const waiting = await event(id)
  assert.equal(waiting.status, 'pending')
  assert.match(waiting.error ?? '', /no question to Datadog was answered: Datadog answered 502/)
  assert.equal(fake.notebooks.length, 0)
  away = false
  await hurry()
  const done = await analysis((await event(id)).rca?.id ?? '')
  assert.deepEqual([done.status, done.attempt, done.error], ['done', 2, null])
  assert.equal(fake.notebooks.length, 1)
})

test('after the last attempt the analysis has failed, keeps its report and can be run again', async t => {
  const down = async (): Promise<never> => {
    throw new DatadogError('unavailable', 'Datadog answered 503')
  }
  const { app, fake, post, event, analysis, hurry, jobs } = await started(t)
  const working = await fake.service.account()
  let account: DatadogAccount = { ...working, createNotebook: down }
  fake.service.account = async () => account
  const id = await post(alert())
  await app.drain()
  for (let tries = 0; tries < 6; tries++) await hurry()
  const failed = await event(id)
  assert.equal(failed.status, 'failed')
  const { report, error, attempt } = await analysis(failed.rca?.id ?? '')
  assert.equal(report.verdict, 'not_established')
  assert.deepEqual([error, attempt], ['the notebook was not made: Datadog answered 503', 5])
  assert.equal(fake.notebooks.length, 0)
  const [job, ...others] = await jobs('failed')
  assert.deepEqual([job?.name, job?.error, others], ['rca.analyse', error, []])
  account = working
  assert.equal((await app.call('POST', `/v1/jobs/${job?.id}/retry`)).status, 202)
  await app.drain()
  const done = await event(id)
  assert.deepEqual([done.status, done.notebook?.id], ['processed', '1'])
  assert.equal((await analysis(done.rca?.id ?? '')).error, null)
  assert.equal(done.rca?.id, failed.rca?.id)
  assert.deepEqual([await jobs('failed'), fake.notebooks.length], [[], 1])
  assert.equal(((await app.call('GET', '/v1/rca')).body as Wire).total_count, 1)
  assert.equal((await app.call('POST', `/v1/jobs/${job?.id}/retry`)).status, 404)
})

test('an analysis of which nothing was answered fails with its job, and is run again when Datadog is back', async t => {
  let away = true
  const down = async (): Promise<never> => {
    throw new DatadogError('unavailable', 'Datadog answered 502')
  }
  const { app, fake, post, event, analysis, hurry, jobs } = await started(t)
  const working = await fake.service.account()
  fake.service.account = async () =>
    away
      ? { ...working, monitor: down, events: down, logs: down, hosts: down, metric: down }
      : working
  const id = await post(alert())
  await app.drain()
  for (let tries = 0; tries < 6; tries++) await hurry()
  const failed = await event(id)
  assert.equal(failed.status, 'failed')
  assert.match(failed.error ?? '', /no question to Datadog was answered: Datadog answered 502/)
  const [job] = await jobs('failed')
  assert.equal(job?.error, failed.error)
  away = false
  assert.equal((await app.call('POST', `/v1/jobs/${job?.id}/retry`)).status, 202)
  await app.drain()
  const done = await analysis((await event(id)).rca?.id ?? '')
  assert.deepEqual([done.status, done.error, done.notebook?.id], ['done', null, '1'])
  assert.equal(fake.notebooks.length, 1)
})

test('a second attempt finds the notebook of the first instead of making another', async t => {
  let lost = true
  const { app, fake, post, event, hurry } = await started(t)
  const working = await fake.service.account()
  fake.service.account = async () => ({
    ...working,
    async createNotebook(draft, options) {
      const made = await working.createNotebook(draft, options)
      if (lost) {
        lost = false
        throw new DatadogError('timeout', 'the answer was lost')
      }
      return made
    }
  })
  const id = await post(alert())
  await app.drain()
  await hurry()
  assert.equal((await event(id)).status, 'processed')
  assert.equal(fake.notebooks.length, 1)
})

test('a notebook the keys may not write is said, and the report stays', async t => {
  const { app, post, event, analysis, jobs } = await started(t, {
    createNotebook: async () => {
      throw new DatadogError('forbidden', 'the application key lacks notebooks_write')
    }
  })
  const id = await post(alert())
  await app.drain()
  const read = await analysis((await event(id)).rca?.id ?? '')
  assert.deepEqual([read.status, read.notebook], ['failed', null])
  assert.match(read.error ?? '', /notebooks_write/)
  assert.ok(read.report)
  // No repetition mends a permission, so it is not tried again by itself, and can be when somebody has given it.
  const [job] = await jobs('failed')
  assert.deepEqual([job?.name, job?.error], ['rca.analyse', read.error])
  assert.deepEqual(await jobs('retry'), [])
})

test('hostile telemetry stays text: no live link, image, HTML or table cell reaches the notebook', async t => {
  const hostile =
    '![x](http://evil.example/p.png) <script>alert(1)</script> | [click](javascript:alert(1)) \u202e'
  const { app, fake, post } = await started(t, {
    events: async ({ query }) => ({
      rows: [{ ...deploy(at, 4, 'checkout-api', 'v2'), title: hostile }],
      truncated: false,
      warnings: [],
      asked: { query, limit: 1 }
    })
  })
  await post(alert({ monitor_name: hostile, tags: ['env:prod', hostile] }))
  await app.drain()
  const text =
    fake.notebooks[0]?.cells.map(cell => (cell.type === 'markdown' ? cell.text : '')).join('\n') ??
    ''
  assert.doesNotMatch(
    text,
    /evil\.example\/p\.png\)|(?<!\\)<script|javascript:|http:\/\/evil|\u202e/
  )
})

test('an unknown id is 404, a malformed one 400', async t => {
  const { app } = await started(t)
  assert.equal((await app.call('GET', '/v1/rca/7b5e3f2e-0000-4000-8000-000000000000')).status, 404)
  assert.equal((await app.call('GET', '/v1/rca/nope')).status, 400)
  assert.equal((await app.call('GET', '/v1/rca?status=lost')).status, 400)
})
