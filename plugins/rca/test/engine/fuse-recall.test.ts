import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fuseRecall } from '../../service/engine/fuse-recall.ts'
import { createRecall } from '../../service/engine/recall.ts'

const past = [
  { id: 'disk', tokens: ['log db full', 'metric web cpu up'] },
  { id: 'pool', tokens: ['log api pool exhausted', 'metric web cpu up'] }
]
const recalled = createRecall(past)(['log db full'])

test('what means the same is near though it shares no sign, and says so', () => {
  const [first, second] = fuseRecall(recalled, new Map([['pool', 0.97]]))
  assert.deepEqual([first?.id, second?.id, second?.isClose], ['disk', 'pool', true])
  assert.deepEqual(second?.reasons, ['reads alike (cosine 0.97)'])
})

test('a cosine that any two texts have tells nothing', () => {
  assert.deepEqual(fuseRecall(recalled, new Map([['pool', 0.65]])), recalled)
})

test('meaning adds and never takes away: without it the answer is the same, only poorer', () => {
  const cosine = fc.double({ min: -1, max: 1, noNaN: true })
  fc.assert(
    fc.property(fc.option(cosine), fc.option(cosine), (disk, pool) => {
      const near = new Map<string, number>()
      if (disk !== null) near.set('disk', disk)
      if (pool !== null) near.set('pool', pool)
      const fused = new Map(fuseRecall(recalled, near).map(one => [one.id, one]))
      for (const { id, similarity, isClose } of recalled) {
        const now = fused.get(id)
        assert.ok(now && now.similarity >= similarity && now.similarity <= 1 + 1e-9)
        assert.ok(now.isClose || !isClose)
      }
    })
  )
  assert.deepEqual(fuseRecall(recalled, new Map()), recalled)
})
