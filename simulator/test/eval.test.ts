import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baselines, type Ask } from '../eval/baselines.ts'
import { grade, isRight } from '../eval/grade.ts'
import { wilson } from '../eval/wilson.ts'
import type { Truth } from '../scenarios/truth.ts'
import { table } from '../eval/table.ts'
import { readReport, type Verdict } from '../eval/verdict.ts'
import { createSimulator } from '../simulator.ts'
import { accountOf, call, MINUTE, NOW, T0 } from './client.ts'

const truth: Truth = {
  scenario: 'test',
  title: 'A deploy',
  account: 'us1',
  also_accepted: [],
  window: [],
  component: 'checkout-api',
  class: 'change.deploy',
  onset: new Date(T0).toISOString(),
  affected: ['checkout-api', 'web-gateway'],
  trigger: { kind: 'deploy', id: 'E1' },
  remediation: { class: 'rollback', text: 'Roll back.' },
  required_evidence: [
    [{ kind: 'event', id: 'E1' }],
    [
      {
        kind: 'metric',
        query: 'sum:trace.http.request.errors{service:checkout-api} by {version}.as_count()'
      }
    ],
    [{ kind: 'log', query: 'service:checkout-api "Cannot read properties"' }],
    [{ kind: 'monitor', name: 'checkout-api 5xx rate' }]
  ],
  distractors: [
    { component: 'search-svc', why: 'healthy', id: 'E2' },
    { component: 'orders-db', why: 'recovered' }
  ]
}
const shown = {
  entries: [
    { status: 200, bytes: 10 },
    { status: 429, bytes: 5 }
  ],
  wasReturned: (id: string) => ['E1', 'E2'].includes(id)
}
const perfect: Verdict = {
  component: 'checkout-api',
  class: 'change.deploy',
  triggers: ['E1'],
  onset: new Date(T0 + 90_000).toISOString(),
  affected: ['checkout-api', 'web-gateway'],
  remediation: 'rollback',
  cited: [
    { slot: 'changes', id: 'E1', text: 'Deployed', facts: {} },
    {
      slot: 'logs',
      id: null,
      text: 'TypeError: Cannot read properties of undefined',
      facts: { service: 'checkout-api' }
    }
  ]
}
const pointsOf = (verdict: Verdict, name: string): number | undefined =>
  grade(verdict, truth, shown).marks.find(one => one.name === name)?.points

test('a perfect verdict has 100, an empty one the five points for blaming nobody', () => {
  const full = grade(perfect, truth, shown)
  assert.deepEqual(
    [full.score, full.capped, full.cost],
    [100, false, { calls: 2, bytes: 15, limited: 1 }]
  )
  assert.equal(
    grade(
      {
        component: null,
        class: null,
        triggers: [],
        onset: null,
        affected: null,
        remediation: null,
        cited: []
      },
      truth,
      shown
    ).score,
    5
  )
})

test('each criterion costs what the rubric says', () => {
  assert.deepEqual(
    [
      pointsOf({ ...perfect, component: 'redis' }, 'component'),
      pointsOf({ ...perfect, class: 'resource' }, 'class'),
      pointsOf({ ...perfect, triggers: [] }, 'trigger')
    ],
    [0, 0, 0]
  )
  assert.deepEqual(
    [119, 121].map(s =>
      pointsOf({ ...perfect, onset: new Date(T0 + s * 1000).toISOString() }, 'onset')
    ),
    [10, 0]
  )
  assert.equal(pointsOf({ ...perfect, cited: perfect.cited.slice(1) }, 'evidence'), 0)
  assert.deepEqual(
    [
      pointsOf({ ...perfect, affected: ['web-gateway', 'checkout-api'] }, 'blast radius'),
      pointsOf({ ...perfect, remediation: 'restart' }, 'remediation')
    ],
    [0, 0]
  )
  assert.equal(
    pointsOf({ ...perfect, component: 'search-svc', triggers: ['E2'] }, 'distractors'),
    -15
  )
  assert.equal(grade({ ...perfect, component: 'orders-db' }, truth, shown).score, 100 - 25 - 5 - 15)
})

test('an id that was never shown caps the score at 40, and a missing field is named', () => {
  const invented = grade(
    { ...perfect, cited: [...perfect.cited, { slot: 'changes', id: 'E9', text: '', facts: {} }] },
    truth,
    shown
  )
  assert.deepEqual([invented.score, invented.capped], [40, true])
  assert.match(invented.marks.at(-1)?.why ?? '', /E9/)
  assert.match(
    grade({ ...perfect, class: null }, truth, shown).marks[1]?.why ?? '',
    /no class of cause/
  )
})

test('another accepted name of the culprit is right, and Wilson gives the known intervals', () => {
  assert.equal(
    isRight({ ...perfect, component: 'orders-db' }, { ...truth, also_accepted: ['orders-db'] }),
    true
  )
  assert.deepEqual(
    wilson(9, 9).map(v => v.toFixed(2)),
    ['0.70', '1.00']
  )
  assert.deepEqual(wilson(0, 0), [0, 1])
  assert.deepEqual(
    wilson(5, 10).map(v => v.toFixed(3)),
    ['0.237', '0.763']
  )
})

test('a report is read for what it stands by', () => {
  const report = {
    verdict: 'suspected_change',
    onset: { at: '2025-03-11T02:40:00Z', evidence: ['metric#1'] },
    suspects: [
      { service: 'a', evidence: ['changes#1'], reasons: [{ evidence: ['logs#1'] }] },
      { service: 'b', evidence: ['changes#2'] }
    ],
    findings: [],
    evidence: [
      {
        slot: 'changes',
        rows: [
          { id: 'changes#1', text: 'x', facts: { event_id: 'E1' } },
          { id: 'changes#2', text: 'y', facts: { event_id: 'E2' } }
        ]
      },
      { slot: 'logs', rows: [{ id: 'logs#1', text: 'l', facts: {} }] }
    ]
  }
  const verdict = readReport(report)
  assert.deepEqual(
    [verdict.component, verdict.triggers, verdict.cited.map(row => row.slot)],
    ['a', ['E1'], ['unknown', 'changes', 'logs']]
  )
  assert.deepEqual(
    [
      readReport({ ...report, verdict: 'not_established' }).component,
      readReport({ ...report, verdict: 'not_established' }).triggers
    ],
    [null, []]
  )
})

test('blaming the last deploy fails wherever the cause is no deploy', async () => {
  for (const scenario of ['s1', 's2', 's5']) {
    const simulator = await createSimulator({ scenario, t0: T0, now: () => NOW })
    const ask: Ask = async (method, path, body) =>
      (await call(accountOf(simulator), method, path, body)).body
    const own = simulator.truth
    assert.ok(own)
    const verdict = await baselines['last deploy']?.({ ask, alertAt: T0 + 3 * MINUTE, seed: 1 })
    assert.ok(verdict)
    const { score } = grade(verdict, own, {
      entries: simulator.journal(),
      wasReturned: simulator.wasReturned
    })
    assert.equal(isRight(verdict, own), own.class === 'change.deploy', scenario)
    assert.ok(own.class === 'change.deploy' ? score >= 70 : score <= 15, `${scenario}: ${score}`)
    await simulator.close()
  }
})

test('the table shows contestants, intervals and what is lost', () => {
  const text = table(
    [
      {
        contestant: 'Rayne',
        scenario: 's1',
        variant: 0,
        right: true,
        ms: 12,
        grade: grade({ ...perfect, class: null }, truth, shown)
      }
    ],
    'Rayne'
  )
  assert.match(text, /Rayne +s1 +1 +80 +1\/1 +21-100 %/)
  assert.match(text, /class 0 of 20: the report has no class of cause/)
})
