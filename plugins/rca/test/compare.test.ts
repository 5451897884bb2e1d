import assert from 'node:assert/strict'
import test from 'node:test'
import type { EvidenceRow } from '../contract.ts'
import { simulatedApp } from './simulated-app.ts'

interface Slot {
  readonly slot: string
  readonly outcome: string
  readonly total_count: number
  readonly rows?: readonly EvidenceRow[]
}
interface Comparison {
  readonly of_the_same_alert: boolean
  readonly agree: boolean
  readonly differences: Readonly<Record<string, { first: unknown; second: unknown }>>
  readonly claims: Readonly<Record<'both' | 'only_first' | 'only_second', readonly string[]>>
  readonly evidence: readonly { slot: string; first: string | null; second: string | null }[]
}

test('evidence is read by question, page by page, and row by row', async t => {
  const { app, alerted, get } = await simulatedApp(t)
  const { id, report } = await alerted()
  const { evidence } = await get<{ evidence: readonly Slot[] }>(`/v1/rca/${id}/evidence`)
  assert.deepEqual(
    evidence.map(({ slot, total_count: n }) => [slot, n]),
    report?.evidence.map(({ slot, rows }) => [slot, rows.length])
  )
  const logs = report?.evidence.find(({ slot }) => slot === 'logs')?.rows ?? []
  assert.ok(logs.length > 20)
  const read: EvidenceRow[] = []
  for (let page = 1; read.length < logs.length; page += 1) {
    const path = `/v1/rca/${id}/evidence/logs?per_page=20&page=${page}`
    const { rows = [], total_count: total } = await get<Slot>(path)
    assert.equal(total, logs.length)
    assert.ok(rows.length > 0 && rows.length <= 20)
    read.push(...rows)
  }
  assert.deepEqual(read, logs)
  const one = await get<Slot>(`/v1/rca/${id}/evidence/${encodeURIComponent('logs#3')}`)
  assert.deepEqual(one.rows, [logs[2]])
  for (const unknown of ['nothing', 'logs%23999', 'logs%230'])
    assert.equal((await app.call('GET', `/v1/rca/${id}/evidence/${unknown}`)).status, 404)
})

test('an analysis and its re-run are compared; what differs is named', async t => {
  const { app, alerted, get, analysis } = await simulatedApp(t)
  const first = await alerted()
  const again = await app.call<{ id: string }>('POST', `/v1/rca/${first.id}/rerun`, {})
  await app.drain()
  const same = await get<Comparison>(`/v1/rca/${first.id}/compare/${again.body.id}`)
  assert.deepEqual([same.of_the_same_alert, same.agree, same.differences], [true, true, {}])
  assert.ok(same.claims.both.length > 0)
  const { report } = await analysis(again.body.id)
  const changed = { ...report, component: 'search-svc', findings: report?.findings.slice(1) }
  await app
    .db('rca_analyses')
    .where({ id: again.body.id })
    .update({ report: JSON.stringify(changed) })
  const other = await get<Comparison>(`/v1/rca/${first.id}/compare/${again.body.id}`)
  assert.deepEqual(
    [other.agree, other.differences],
    [false, { component: { first: 'checkout-api', second: 'search-svc' } }]
  )
  assert.deepEqual(other.claims.only_first, [report?.findings[0]?.text])
  assert.deepEqual(other.claims.only_second, [])
  assert.ok(other.evidence.every(({ first: a, second: b }) => a === b))
})
