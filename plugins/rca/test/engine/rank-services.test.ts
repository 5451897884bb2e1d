import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { callsFromSpans, type Call } from '../../service/engine/infer-calls.ts'
import type { ServiceLoad, ServiceWindow } from '../../service/engine/measure-excess.ts'
import { rankServices } from '../../service/engine/rank-services.ts'

const onset = 3_000
const times = Array.from({ length: 60 }, (_, index) => index * 60)
/** Traffic that never stands still, so that services on one path can be told from others. */
const traffic = (seed: number): number[] => times.map((_, index) => 100 + ((index * seed) % 37))

interface Shape {
  readonly name: string
  readonly requests?: readonly (number | null)[]
  /** Own time of a request, s; `slow` is added from the onset on. */
  readonly own?: number
  readonly slow?: number
  readonly failing?: number
  readonly callees?: readonly string[]
  readonly clientSide?: boolean
}

/** Mean times that add up as in a real chain: a caller waits once for each of its callees. */
function windowOf(shapes: readonly Shape[]): ServiceWindow {
  const byName = new Map(shapes.map(shape => [shape.name, shape]))
  const at = (name: string, time: number, of: 'time' | 'failing'): number => {
    const shape = byName.get(name)
    const after = time >= onset
    const mine =
      of === 'time'
        ? (shape?.own ?? 0.01) + (after ? (shape?.slow ?? 0) : 0)
        : after
          ? (shape?.failing ?? 0)
          : 0
    return (shape?.callees ?? []).reduce((total, callee) => total + at(callee, time, of), mine)
  }
  return {
    times,
    bucketSeconds: 60,
    services: shapes.map((shape): ServiceLoad => ({
      name: shape.name,
      requests: shape.requests ?? traffic(7),
      latencySeconds: times.map(time => at(shape.name, time, 'time')),
      availability: times.map(time => 1 - Math.min(1, at(shape.name, time, 'failing'))),
      clientSide: shape.clientSide ?? false
    }))
  }
}
const callsOf = (shapes: readonly Shape[]): Call[] =>
  shapes.flatMap(shape => (shape.callees ?? []).map(callee => [shape.name, callee] as const))
const rank = (shapes: readonly Shape[], calls = callsOf(shapes)) =>
  rankServices({ target: 'frontend', trouble: 'latency', onset, window: windowOf(shapes), calls })

const shop: readonly Shape[] = [
  { name: 'frontend', callees: ['checkout', 'catalogue'] },
  { name: 'checkout', callees: ['payments'] },
  { name: 'payments', slow: 0.024 },
  { name: 'catalogue' }
]

test('the service whose own time grew explains its callers, in a sentence with the share and the seconds', () => {
  const { ranked, targetExcess, standsOut } = rank(shop)
  assert.equal(ranked[0]?.name, 'payments')
  assert.equal(
    ranked[0].text,
    `payments explains 100 % of frontend's extra ${Math.round(targetExcess)} s`
  )
  assert.ok(standsOut)
  const requests = traffic(7)
    .filter((_, index) => (times[index] ?? 0) >= onset)
    .reduce((total, count) => total + count, 0)
  assert.ok(Math.abs(targetExcess - 0.024 * requests) < 1e-6)
})

test('trouble that begins in the alerting service itself is said to be its own', () => {
  const [first] = rank([{ name: 'frontend', slow: 0.5, callees: ['db'] }, { name: 'db' }]).ranked
  assert.match(first?.text ?? '', /^frontend itself explains 100 % of its extra \d+ s$/)
})

test('a slow service that is hardly called explains little, however much slower it became', () => {
  const { ranked } = rank(
    [
      { name: 'frontend', callees: ['search'] },
      { name: 'search', slow: 0.05 },
      { name: 'export', requests: times.map((_, index) => (index % 30 === 0 ? 1 : 0)), slow: 0.9 }
    ],
    [
      ['frontend', 'search'],
      ['frontend', 'export']
    ]
  )
  assert.equal(ranked[0]?.name, 'search')
  assert.ok((ranked.find(one => one.name === 'export')?.share ?? 0) < 0.01)
})

test('errors are conserved as counts: the service where they begin, not those that pass them on', () => {
  const shapes = shop.map(shape =>
    shape.name === 'payments' ? { ...shape, failing: 0.02 } : shape
  )
  const { ranked } = rankServices({
    target: 'frontend',
    trouble: 'errors',
    onset,
    window: windowOf(shapes),
    calls: callsOf(shapes)
  })
  assert.equal(ranked[0]?.name, 'payments')
  assert.match(ranked[0].text, /^payments explains 100 % of frontend's \d+ extra failed requests$/)
})

test('a view from the caller does not win over the service it looks at', () => {
  const { ranked } = rank(
    [
      { name: 'frontend', callees: ['payments-remote'] },
      { name: 'payments-remote', clientSide: true, callees: ['payments'] },
      { name: 'payments', slow: 0.2 }
    ],
    [
      ['frontend', 'payments-remote'],
      ['frontend', 'payments']
    ]
  )
  assert.deepEqual(
    ranked.map(one => one.name),
    ['payments', 'payments-remote']
  )
})

test('a service that was never called before leaves its time with the caller that began to call it', () => {
  const never = windowOf([
    { name: 'frontend', slow: 0.3, callees: [] },
    { name: 'newcomer', own: 0.3 }
  ])
  const window = {
    ...never,
    services: never.services.map(service =>
      service.name === 'newcomer'
        ? {
            ...service,
            requests: service.requests.map((count, index) =>
              (times[index] ?? 0) < onset ? null : count
            ),
            latencySeconds: times.map(time => (time < onset ? null : 0.3))
          }
        : service
    )
  }
  const { ranked } = rankServices({
    target: 'frontend',
    trouble: 'latency',
    onset,
    window,
    calls: [['frontend', 'newcomer']]
  })
  assert.deepEqual(
    ranked.map(one => one.name),
    ['frontend']
  )
})

test('a call that the graph lacks is inferred from requests that move together and from the excess', () => {
  const { ranked, inferred } = rank(shop, [
    ['frontend', 'checkout'],
    ['frontend', 'catalogue']
  ])
  assert.deepEqual(inferred, [['checkout', 'payments']])
  assert.equal(ranked[0]?.name, 'payments')
})

test('other traffic makes no callee, and with no calls at all the trouble still has a place', () => {
  const unrelated = shop.map(shape =>
    shape.name === 'payments' ? { ...shape, requests: traffic(11) } : shape
  )
  assert.ok(
    !rank(unrelated, [['frontend', 'checkout']]).inferred.some(([caller]) => caller === 'checkout')
  )
  assert.notEqual(rank(shop, []).ranked[0]?.name, 'frontend')
})

test('without any excess nobody stands out, and an unknown target is named', () => {
  const { ranked, standsOut, targetExcess } = rank(
    shop.map(({ name, callees }) => ({ name, callees: callees ?? [] }))
  )
  assert.deepEqual(
    { ranked, standsOut, targetExcess },
    { ranked: [], standsOut: false, targetExcess: 0 }
  )
  assert.throws(
    () =>
      rankServices({
        target: 'nobody',
        trouble: 'latency',
        onset,
        window: windowOf(shop),
        calls: []
      }),
    /the alerting service 'nobody' is not among the services measured: frontend, checkout/
  )
})

test('calls are read from spans whose parent is in another service', () => {
  const span = (spanId: string, parentId: string | null, service: string, traceId = 't') => ({
    traceId,
    spanId,
    parentId,
    service
  })
  assert.deepEqual(
    callsFromSpans([
      span('1', null, 'frontend'),
      span('2', '1', 'frontend'),
      span('3', '2', 'checkout'),
      span('4', '2', 'checkout'),
      span('5', 'lost', 'payments'),
      span('1', null, 'mail', 'u'),
      span('2', '1', 'mail', 'u')
    ]),
    [['frontend', 'checkout']]
  )
})

/** Trees of services under the frontend; `parents[i]` is the caller of service i + 1. */
const trees = fc
  .array(fc.nat(), { minLength: 1, maxLength: 12 })
  .map(picks => picks.map((pick, index) => pick % (index + 1)))
const nameOf = (index: number): string => (index === 0 ? 'frontend' : `s${index}`)
const treeOf = (parents: readonly number[], culprit: number): Shape[] =>
  [0, ...parents.map((_, index) => index + 1)].map(index => ({
    name: nameOf(index),
    callees: parents.flatMap((parent, child) => (parent === index ? [nameOf(child + 1)] : [])),
    slow: index === culprit ? 0.4 : 0
  }))

test('in any tree the one that became slow is first and explains all, at any volume', () => {
  fc.assert(
    fc.property(trees, fc.nat(), fc.integer({ min: 2, max: 50 }), (parents, pick, volume) => {
      const culprit = pick % (parents.length + 1)
      const shapes = treeOf(parents, culprit)
      const { ranked, inferred } = rank(shapes)
      assert.equal(ranked[0]?.name, nameOf(culprit))
      assert.ok(ranked[0].share > 0.99 && ranked[0].share <= 1)
      assert.deepEqual(inferred, [])
      const louder = shapes.map(shape => ({
        ...shape,
        requests: traffic(7).map(count => count * volume)
      }))
      assert.deepEqual(
        rank(louder).ranked.map(({ name, share }) => [name, share.toFixed(6)]),
        ranked.map(({ name, share }) => [name, share.toFixed(6)])
      )
    })
  )
})

test('shares of certain calls never exceed the trouble, and the order of the input decides nothing', () => {
  fc.assert(
    fc.property(
      trees,
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 13 }),
      (parents, slow) => {
        const shapes = treeOf(parents, -1).map((shape, index) => ({
          ...shape,
          slow: slow[index] ?? 0
        }))
        const { ranked } = rank(shapes)
        for (const { share } of ranked) assert.ok(share > 0 && share <= 1 + 1e-9)
        assert.ok(ranked.reduce((total, { share }) => total + share, 0) <= 1 + 1e-6)
        assert.deepEqual(rank(shapes.toReversed()).ranked, ranked)
      }
    ),
    // Losses of the size of rounding.
    {
      examples: [
        [
          [0, 0, 1, 3, 3, 3],
          [0, 0, 2.753784787007385e-11, 4.246214577868779e-11]
        ]
      ]
    }
  )
})
