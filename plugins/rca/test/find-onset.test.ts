import assert from 'node:assert/strict'
import test from 'node:test'
import { epochMs } from '../../../core/index.ts'
import type { EvidenceSlot } from '../contract.ts'
import { findOnset } from '../service/find-onset.ts'

const alertAt = epochMs(Date.UTC(2026, 0, 31, 12))
const bucket = 20_000
const buckets = 210

/** Numbers from 0 to 1, the same for the same seed. */
function drawn(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
/** A series that wanders about 100 as real ones do: each bucket remembers the one before. */
function wandering(seed: number): number[] {
  const next = drawn(seed)
  let off = 0
  return Array.from({ length: buckets }, () => {
    off = off * 0.96 + (next() + next() + next() + next() - 2) * 3
    return 100 + off
  })
}
function slot(name: string, series: readonly (readonly number[])[]): EvidenceSlot {
  const from = alertAt - 3_600_000
  return {
    slot: name,
    title: name,
    outcome: 'rows',
    asked: 'avg:x{*}',
    window: { from: '', to: '' },
    note: null,
    took_ms: 1,
    retryable: false,
    rows: series.map((values, index) => ({
      id: `${name}#${index + 1}`,
      at: null,
      text: '',
      facts: {
        metric: 'x',
        scope: '*',
        interval: bucket / 1000,
        points: JSON.stringify(values.map((value, i) => [from + i * bucket, value]))
      }
    }))
  }
}
const earlierOf = (seed: number): EvidenceSlot =>
  slot(
    'earlier-metric',
    [1, 2, 3].map(n => wandering(seed * 7 + n))
  )
/** The last five minutes before the alert, and all after it, raised. */
const raised = (values: readonly number[], by: number): number[] =>
  values.map((value, index) => (index >= 165 ? value + by : value))

const seeds = Array.from({ length: 300 }, (_, index) => 1 + index * 17)

test('a wandering series has steps now and then, and none once its earlier windows are known', () => {
  const doubtful = seeds.filter(
    seed => findOnset([slot('metric', [wandering(seed)])], alertAt).isWeak
  )
  assert.ok(doubtful.length > 3, `${doubtful.length} of ${seeds.length} look like a step`)
  const wrong = doubtful.filter(
    seed =>
      findOnset([slot('metric', [wandering(seed)]), earlierOf(seed)], alertAt).evidence.length > 0
  )
  assert.ok(wrong.length <= doubtful.length / 5, `${wrong.length} of ${doubtful.length}`)
})

test('a real step stays one, and is plain enough to ask nothing more', () => {
  for (const seed of seeds.slice(0, 60)) {
    const stepped = slot('metric', [raised(wandering(seed), 300)])
    const { at, isWeak, evidence } = findOnset([stepped], alertAt)
    assert.deepEqual([isWeak, evidence], [false, ['metric#1']])
    assert.ok(Math.abs(at - (alertAt - 5 * 60_000)) <= 2 * bucket)
    assert.deepEqual(findOnset([stepped, earlierOf(seed)], alertAt).evidence, ['metric#1'])
  }
})

test('a small step that the series never made of its own accord stays one', () => {
  const calm = (level: number): number[] =>
    Array.from({ length: buckets }, (_, index) => level + (index % 3))
  const small = raised(calm(100), 12)
  const earlier = slot('earlier-metric', [calm(98), calm(101)])
  assert.equal(findOnset([slot('metric', [small])], alertAt).isWeak, true)
  const found = findOnset([slot('metric', [small]), earlier], alertAt)
  assert.deepEqual([found.isWeak, found.evidence], [false, ['metric#1']])
})

test('earlier windows of another series say nothing', () => {
  const small = raised(wandering(3), 40)
  const other = slot('earlier-metric', [wandering(5)])
  const [row] = other.rows
  assert.ok(row)
  const foreign = { ...other, rows: [{ ...row, facts: { ...row.facts, scope: 'service:b' } }] }
  assert.deepEqual(
    findOnset([slot('metric', [small]), foreign], alertAt),
    findOnset([slot('metric', [small])], alertAt)
  )
})
