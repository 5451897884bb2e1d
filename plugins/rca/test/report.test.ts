import assert from 'node:assert/strict'
import test from 'node:test'
import { epochMs } from '../../../core/index.ts'
import { draftNotebook } from '../service/notebook.ts'
import type { Report } from '../contract.ts'
import { alertOf } from './alert.ts'
import { renderedCell } from './rendered.ts'
import { simulatedApp } from './simulated-app.ts'

interface Rendered {
  readonly template_id: string | null
  readonly markdown: string
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
}

test('the first line of a report names the cause, how sure it is and on what', async t => {
  const { alerted, get } = await simulatedApp(t)
  const { id, report } = await alerted()
  const [first, , line = ''] = (await get<Rendered>(`/v1/rca/${id}/report`)).markdown.split('\n')
  assert.match(first ?? '', /^# SIMULATED checkout-api 5xx rate$/)
  assert.match(line, /most likely caused by "Deployed checkout-api v2\.41\.0 to prod"/)
  assert.match(line, /confidence high .*score \d+ of 100, the next suspect \d+/)
  assert.match(line, /because: [45] min before the onset; .*errors with a version come from/)
  assert.match(report?.summary ?? '', /confidence high/)
})

test('a report is rendered in each template, and another one is refused with the choices', async t => {
  const { app, alerted, get } = await simulatedApp(t)
  const { id, report } = await alerted()
  const { templates } = await get<{ templates: string[] }>('/v1/rca/templates')
  assert.deepEqual(templates, [
    'incident_report.json',
    'incident-report-cloned.md',
    'logs-analysis.md',
    'prompt.md'
  ])
  const rendered = (name: string) => get<Rendered>(`/v1/rca/${id}/report?template_id=${name}`)
  const whole = await rendered('incident-report-cloned')
  for (const title of [
    'Summary',
    'Outage Tracking',
    'Response Breakdown',
    'Organizational Analysis'
  ])
    assert.match(whole.markdown, new RegExp(`^## ${title}$`, 'm'))
  assert.match(whole.markdown, /most likely caused by/)
  const logs = await rendered('logs-analysis.md')
  assert.match(logs.markdown, /TypeError: Cannot read properties/)
  const { markdown } = await rendered('incident_report')
  const json = JSON.parse(markdown) as { cause: object; evidence: unknown[]; summary: string }
  assert.deepEqual(json.cause, {
    component: report?.component,
    class: report?.class,
    remediation: report?.remediation?.class
  })
  assert.deepEqual([json.evidence, json.summary], [report?.evidence, report?.summary])
  for (const text of [whole, logs].map(one => one.markdown)) assert.doesNotMatch(text, /\{\{|\n{3}/)
  for (const name of ['prompt', '../package.json', 'nothing']) {
    const refused = await app.call<Rendered>('GET', `/v1/rca/${id}/report?template_id=${name}`)
    assert.equal(refused.status, 400)
    assert.match(
      refused.body.errors?.[0]?.message ?? '',
      /incident_report\.json, .*logs-analysis\.md/
    )
  }
})

const to = Date.parse('2026-01-31T12:10:00Z')
const window = { from: epochMs(to - 70 * 60_000), to: epochMs(to) }
const report: Report = {
  verdict: 'not_established',
  summary: 'nothing',
  onset: { at: '2026-01-31T12:00:00.000Z', source: 'the alert', evidence: [] },
  window: { from: new Date(window.from).toISOString(), to: new Date(window.to).toISOString() },
  suspects: [
    {
      rank: 1,
      title: 'Deploy',
      at: '2026-01-31T11:00:00.000Z',
      service: null,
      score: 10,
      evidence: ['changes#1'],
      reasons: []
    }
  ],
  findings: [{ text: 'errors rose', evidence: ['metric-requests#1'] }],
  evidence: [
    slot('logs', 'status:error service:orders-db', []),
    slot('traces', 'service:orders-db', [{ trace_id: '42', status: 'error' }]),
    slot('changes', 'deploys', [{ event_id: '77' }]),
    slot('metric', 'avg:orders.errors{service:orders-db}', [{}]),
    slot(
      'metric-requests',
      'sum:trace.hits{env:prod} by {service}.as_count(), sum:trace.errors{env:prod} by {service}.as_count()',
      [{ metric: 'trace.errors', scope: 'env:prod,service:orders-db' }]
    )
  ],
  account: 'main',
  simulated: false
}

function slot(name: string, asked: string, facts: Record<string, string>[]) {
  return {
    slot: name,
    title: name,
    outcome: 'rows' as const,
    asked,
    window: { from: '', to: '' },
    rows: facts.map((each, n) => ({ id: `${name}#${n + 1}`, at: null, text: name, facts: each })),
    note: null,
    took_ms: 1,
    retryable: false
  }
}

test('every link of a notebook is on the host of its site and around the alert', () => {
  const alert = alertOf({ monitor_id: '9', service: 'orders-db', host: 'db-1.example.com' })
  for (const appUrl of ['https://us3.datadoghq.com', 'https://app.ddog-gov.com']) {
    const { cells } = draftNotebook('0b5e3f2e-1111-4000-8000-000000000000', alert, report, window, {
      appUrl
    })
    const links = cells.flatMap(cell => renderedCell(cell).links).map(link => new URL(link))
    assert.deepEqual([...new Set(links.map(({ origin }) => origin))], [appUrl])
    for (const { pathname, searchParams } of links) {
      const [from, until] = [
        searchParams.get('from_ts') ?? searchParams.get('start'),
        searchParams.get('to_ts') ?? searchParams.get('end')
      ]
      assert.deepEqual([from, until], [String(window.from), String(window.to)], pathname)
    }
    const pages = new Set(links.map(({ pathname }) => pathname))
    assert.deepEqual([...pages].toSorted(), [
      '/apm/services/orders-db/operations',
      '/apm/trace/42',
      '/apm/traces',
      '/dash/integration/system_overview',
      '/databases',
      '/databases/queries',
      '/event/event',
      '/event/explorer',
      '/infrastructure',
      '/logs',
      '/metric/explorer',
      '/monitors/9',
      '/monitors/9/edit'
    ])
    const queries = links.map(({ searchParams }) => searchParams.get('query')).filter(Boolean)
    assert.deepEqual([...new Set(queries)].toSorted(), [
      'host:db-1',
      'host:db-1*',
      'service:orders-db',
      'service:orders-db status:error',
      'sources:*',
      'status:error',
      'status:error service:orders-db'
    ])
  }
})

test('each graph of a notebook has its own query, which stands beside it', () => {
  const alert = alertOf({ monitor_id: '9', service: 'orders-db', host: 'db-1.example.com' })
  const { cells } = draftNotebook('0b5e3f2e-1111-4000-8000-000000000000', alert, report, window, {
    appUrl: 'https://app.datadoghq.com'
  })
  const queries = cells.flatMap(cell => (cell.type === 'timeseries' ? [cell.query] : []))
  assert.deepEqual(queries, [
    'avg:orders.errors{service:orders-db}',
    'sum:trace.errors{env:prod,service:orders-db}.as_count()',
    'avg:system.cpu.user{host:db-1*}'
  ])
  const text = cells.flatMap(cell => (cell.type === 'markdown' ? [cell.text] : [])).join('\n')
  for (const query of queries) assert.ok(text.includes(`\`${query}\``), query)
})
