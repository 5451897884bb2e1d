import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { epochMs } from '../../../core/index.ts'
import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { findOnset } from '../service/find-onset.ts'
import { writeReport } from '../service/report.ts'
import { alertOf } from './alert.ts'

const t0 = epochMs(Date.parse('2026-05-01T12:00:00Z'))
const minute = 60_000
const alert = alertOf({ service: 'checkout-api', env: 'prod', monitor_name: 'checkout 5xx' })
const window = { from: epochMs(t0 - 60 * minute), to: epochMs(t0 + 10 * minute) }
const slot = (name: string, rows: Omit<EvidenceRow, 'id'>[]): EvidenceSlot => ({
  slot: name,
  title: name,
  outcome: rows.length > 0 ? 'rows' : 'empty',
  asked: name,
  window: { from: '', to: '' },
  rows: rows.map((row, index) => ({ id: `${name}#${index + 1}`, ...row })),
  note: null,
  took_ms: 1,
  retryable: false
})
const change = (minutesBefore: number, facts: Record<string, string>) => ({
  at: t0 - minutesBefore * minute,
  text: `Deployed ${facts['service']}`,
  facts: {
    title: `Deployed ${facts['service']} ${facts['version'] ?? ''}`.trim(),
    source: 'deploy',
    env: 'prod',
    ...facts
  }
})
const errors = (count: number, version: string) =>
  Array.from({ length: count }, (_, n) => ({
    at: t0 + n * 1000,
    text: `TypeError at order ${n}`,
    facts: { service: 'checkout-api', version }
  }))
const report = (slots: EvidenceSlot[], about = alert) =>
  writeReport({
    alert: about,
    time: { at: t0, window, noticesUntil: window.to, note: null },
    slots,
    account: 'main',
    simulated: false
  })

test('the deploy of the alerting service whose version logs the errors comes first', () => {
  const result = report([
    slot('changes', [
      change(9, { service: 'search-svc', version: 'v9' }),
      change(4, { service: 'checkout-api', version: 'v2.41.0' })
    ]),
    slot('logs', [...errors(90, '2.41.0'), ...errors(5, '2.40.0')])
  ])
  assert.equal(result.verdict, 'suspected_change')
  assert.equal(result.suspects[0]?.title, 'Deployed checkout-api v2.41.0')
  assert.match(result.summary, /95 % of the 95 sampled errors|95 %/)
})

test('a deploy whose version is no worse than the other is not convicted', () => {
  const result = report([
    slot('changes', [change(35, { service: 'checkout-api', version: 'v3' })]),
    slot('logs', [...errors(40, 'v2'), ...errors(42, 'v3')])
  ])
  assert.equal(result.verdict, 'not_established')
  assert.match(JSON.stringify(result.suspects[0]?.reasons), /only 51 %/)
})

test('nearness in time alone convicts nobody, a change after the onset or in another env is no cause', () => {
  assert.equal(
    report([slot('changes', [change(1, { service: 'search-svc' })])]).verdict,
    'not_established'
  )
  assert.deepEqual(
    report([slot('changes', [change(-20, { service: 'checkout-api', version: 'v2' })])]).suspects,
    []
  )
  assert.equal(
    report([
      slot('changes', [change(2, { service: 'checkout-api', version: 'v2', env: 'staging' })])
    ]).verdict,
    'not_established'
  )
  const inWords = { ...alert, env: 'Production' }
  assert.ok(
    !report(
      [slot('changes', [change(2, { service: 'checkout-api', version: 'v2' })])],
      inWords
    ).suspects[0]?.reasons.some(reason => reason.text.startsWith('in '))
  )
  assert.match(report([slot('changes', [])]).summary, /No change was found/)
})

test('the onset is the first lasting step before the alert, and a single spike is none', () => {
  const series = (values: number[]) =>
    slot('metric', [
      {
        at: t0,
        text: 'm',
        facts: {
          interval: 60,
          points: JSON.stringify(
            values.map((value, index) => [t0 - (values.length - index) * minute, value])
          )
        }
      }
    ])
  const flat = Array.from({ length: 30 }, (_, n) => 1 + (n % 3) * 0.1)
  assert.equal(findOnset([series([...flat, 9, 9, 9, 9])], t0).at, t0 - 4 * minute)
  assert.equal(findOnset([series([...flat.slice(0, 20), 9, ...flat.slice(0, 13)])], t0).at, t0)
  assert.match(findOnset([], t0).source, /time of the alert/)
})

test('any evidence gives a report whose every claim cites rows it has, the same one each time', () => {
  const row = fc
    .record({
      at: fc.option(fc.integer({ min: t0 - 120 * minute, max: t0 + 60 * minute })),
      text: fc.string({ maxLength: 80 }),
      facts: fc.dictionary(
        fc.constantFrom('service', 'env', 'version', 'source', 'title', 'points', 'interval'),
        fc.oneof(
          fc.constantFrom('checkout-api', 'prod', 'v1', 'deploy'),
          fc.string({ maxLength: 10 })
        )
      )
    })
    .map(made => ({
      ...made,
      facts: { ...made.facts, ...(made.facts['points'] === undefined ? {} : { points: '[]' }) }
    }))
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 30 }),
      fc.array(row, { maxLength: 30 }),
      (changes, logs) => {
        const slots = [slot('changes', changes), slot('logs', logs)]
        const first = report(slots)
        assert.deepEqual(report(slots), first)
        const known = new Set(slots.flatMap(s => s.rows.map(r => r.id)))
        for (const claim of [...first.findings, ...first.suspects.flatMap(s => s.reasons)])
          for (const id of claim.evidence) assert.ok(known.has(id))
        assert.deepEqual(
          first.suspects.map(s => s.score),
          first.suspects.map(s => s.score).sort((a, b) => b - a)
        )
      }
    )
  )
})
