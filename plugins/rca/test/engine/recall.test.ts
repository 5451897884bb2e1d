import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { incidentTokens } from '../../service/engine/incident-tokens.ts'
import { createRecall, type PastIncident } from '../../service/engine/recall.ts'

const past: readonly PastIncident[] = [
  { id: 'disk', tokens: ['log db full', 'metric db disk up', 'metric web cpu up'] },
  {
    id: 'pool',
    tokens: ['log api pool exhausted', 'metric db connections up', 'metric web cpu up']
  },
  { id: 'surge', tokens: ['metric web requests up', 'metric web cpu up'] }
]

test('the incident that shares the rare signs is the nearest, and says which they are', () => {
  const [first, ...others] = createRecall(past)([
    'metric web cpu up',
    'log db full',
    'metric db disk up'
  ])
  assert.equal(first?.id, 'disk')
  assert.ok(Math.abs(first.similarity - 1) < 1e-9)
  assert.ok(first.isClose)
  assert.deepEqual(first.reasons, ['log db full', 'metric db disk up', 'metric web cpu up'])
  assert.deepEqual(
    others.map(({ reasons }) => reasons),
    [['metric web cpu up'], ['metric web cpu up']]
  )
})

test('nothing shared is nothing alike, and an empty past or question is no error', () => {
  for (const { similarity, isClose, reasons } of createRecall(past)(['log x y']))
    assert.deepEqual(
      { similarity, isClose, reasons },
      { similarity: 0, isClose: false, reasons: [] }
    )
  assert.deepEqual(createRecall([])(['log x y']), [])
  assert.ok(createRecall(past)([]).every(({ similarity }) => similarity === 0))
})

/** Noise that goes with nothing, and one sign that always goes with the cause. */
const told = (withCauses: boolean): PastIncident[] =>
  Array.from({ length: 40 }, (_, index) => ({
    id: String(index).padStart(2, '0'),
    tokens: [
      `noise ${index % 3}`,
      `noise ${index % 7}`,
      index % 2 === 0 ? 'sign even' : 'sign odd'
    ],
    ...(withCauses ? { cause: index % 2 === 0 ? 'even' : 'odd' } : {})
  }))

test('a sign that told confirmed causes apart weighs more than one that did not', () => {
  const asked = ['noise 1', 'noise 5', 'sign even']
  const rivals = (withCauses: boolean): number => {
    const ranked = createRecall(told(withCauses))(asked)
    return ranked.slice(0, 20).filter(({ reasons }) => reasons.includes('sign even')).length
  }
  assert.ok(rivals(true) > rivals(false))
  assert.equal(rivals(true), 20)
})

test('causes are handed back where a person confirmed one, and nowhere else', () => {
  assert.ok(createRecall(told(true))(['sign odd']).every(({ cause }) => cause !== undefined))
  assert.ok(createRecall(told(false))(['sign odd']).every(one => !('cause' in one)))
})

const incidents = fc.array(
  fc.record({
    tokens: fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 6 }),
    cause: fc.option(fc.constantFrom('x', 'y'), { nil: undefined })
  }),
  { maxLength: 12 }
)

test('every past incident is answered once, nearest first, between 0 and 1, in any order of the past', () => {
  fc.assert(
    fc.property(incidents, fc.array(fc.constantFrom('a', 'b', 'c', 'z')), (made, asked) => {
      const all = made.map(({ tokens, cause }, index) => ({
        id: String(index).padStart(3, '0'),
        tokens,
        ...(cause === undefined ? {} : { cause })
      }))
      const answer = createRecall(all)(asked)
      assert.deepEqual(
        answer.map(({ id }) => id).sort(),
        all.map(({ id }) => id)
      )
      for (const [index, { similarity }] of answer.entries())
        assert.ok(
          similarity >= 0 &&
            similarity <= 1 + 1e-9 &&
            similarity <= (answer[index - 1]?.similarity ?? 2)
        )
      const round = (one: { id: string; similarity: number }) => [one.id, one.similarity.toFixed(9)]
      assert.deepEqual(
        new Map(createRecall(all.toReversed())(asked).map(one => round(one) as [string, string])),
        new Map(answer.map(one => round(one) as [string, string]))
      )
    })
  )
})

test('signs become tokens of who and what, once each, without the numbers of cores and the hosts of addresses', () => {
  assert.deepEqual(
    incidentTokens({
      logs: [{ source: 'db1', template: 'disk full on <*>' }],
      metrics: [
        { source: 'db1', metric: 'cpu_core_7_pct', direction: 'up' },
        { source: 'db1', metric: 'cpu_core_11_pct', direction: 'up' }
      ],
      calls: [
        {
          caller: 'web',
          callee: 'db1',
          operation: 'http://10.0.0.1:80/v1/find?id=7',
          trouble: 'error'
        }
      ],
      text: 'checkoutService p99 is high'
    }),
    [
      'log db1 disk full on <*>',
      'metric db1 cpu_core_#_pct up',
      'call web to db1 find error',
      'word checkout',
      'word service',
      'word high'
    ]
  )
})
