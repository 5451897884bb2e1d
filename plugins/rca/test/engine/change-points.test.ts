import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  dropPartial,
  findStep,
  judgeChange,
  type Series
} from '../../service/engine/change-points.ts'

const minute = 60_000
const t0 = 1_700_000_000_000
const seriesOf = (values: readonly (number | null)[], start = t0): Series => ({
  times: values.map((_, index) => start + index * minute),
  values,
  intervalMs: minute
})
const timeOf = (index: number): number => t0 + index * minute

/** Noise between -1 and 1 that a seed repeats. */
function noise(seed: number): () => number {
  let state = seed * 2_654_435_761
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) | 0
    return (state >>> 0) / 2 ** 31 - 1
  }
}
const quiet = (length: number, seed: number, level = 100, width = 5): number[] => {
  const next = noise(seed)
  return Array.from({ length }, () => level + width * next())
}

describe('the onset', () => {
  const property = (run: (seed: number, step: number, length: number) => void): void =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 30, max: 90 }),
        fc.integer({ min: 3, max: 25 }),
        run
      )
    )

  test('is the bucket of the step, up or down, whatever the unit and the level', () => {
    property((seed, step, length) => {
      const values = [...quiet(step, seed), ...quiet(length, seed + 1, seed % 2 === 0 ? 200 : 20)]
      for (const [scale, shift] of [
        [1, 0],
        [0.001, 0],
        [1_000, 50]
      ] as const) {
        const found = findStep(
          seriesOf(values.map(value => value * scale + shift)),
          timeOf(step + length - 1)
        )
        assert.equal(found?.at, timeOf(step))
        assert.equal(found.direction, seed % 2 === 0 ? 'up' : 'down')
        assert.equal(found.precisionMs, minute)
      }
    })
  })

  test('is not found in noise, in a spike that passed, or in a series too short to know', () => {
    property((seed, step, length) => {
      const values = quiet(step + length, seed)
      assert.equal(findStep(seriesOf(values), timeOf(values.length - 1)), undefined)
      const spiked = values.with(step - 8, 900)
      assert.equal(findStep(seriesOf(spiked), timeOf(values.length - 1)), undefined)
      assert.equal(findStep(seriesOf([1, 1, 9, 9]), timeOf(3)), undefined)
    })
  })

  test('of a slow climb lies where it leaves the noise, and holes and a quiet bucket do not hide it', () => {
    const climb = [
      ...quiet(60, 3, 100, 2),
      ...Array.from({ length: 30 }, (_, n) => 100 + 6 * (n + 1))
    ]
    const found = findStep(seriesOf(climb), timeOf(89))
    assert.ok(found && found.at >= timeOf(60) && found.at <= timeOf(66), String(found?.at))
    const holed = [...quiet(40, 4), ...quiet(10, 5, 300)].map((value, index) =>
      index % 7 === 3 ? null : value
    )
    assert.equal(findStep(seriesOf(holed.with(44, 100)), timeOf(49))?.at, timeOf(40))
  })

  test('a level that earlier windows had too is usual, in this series or in another one of the past', () => {
    const wave = Array.from({ length: 120 }, (_, n) => (n % 40 < 20 ? 100 : 180) + (n % 3))
    assert.equal(findStep(seriesOf(wave), timeOf(119)), undefined)
    const evening = [...quiet(40, 6), ...quiet(10, 7, 300)]
    assert.ok(findStep(seriesOf(evening), timeOf(49)))
    const yesterday = seriesOf([...quiet(40, 8), ...quiet(10, 9, 310)], t0 - 86_400_000)
    assert.equal(findStep(seriesOf(evening), timeOf(49), [yesterday]), undefined)
  })

  test('what comes after the alert is not looked at', () => {
    const values = [...quiet(50, 10), ...quiet(10, 11, 500)]
    assert.equal(findStep(seriesOf(values), timeOf(45)), undefined)
  })
})

test('the bucket that has not ended is dropped, and only that', () => {
  const series = seriesOf([1, 2, 3])
  assert.deepEqual(dropPartial(series, timeOf(2) + 30_000).values, [1, 2])
  assert.deepEqual(dropPartial(series, timeOf(3)).values, [1, 2, 3])
  const half = [...quiet(40, 12), 3]
  assert.deepEqual(dropPartial(seriesOf(half), timeOf(40) + 1_000).values, half.slice(0, 40))
})

describe('a change at a known time', () => {
  test('is strong when no earlier pair of windows differed as much, and weak in noise', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000_000 }),
        fc.integer({ min: 5, max: 20 }),
        (seed, length) => {
          const before = quiet(60, seed)
          const stepped = judgeChange(
            seriesOf([...before, ...quiet(length, seed + 1, 150)]),
            timeOf(60)
          )
          assert.ok(stepped && stepped.strength > 2 && stepped.direction === 'up')
          const same = judgeChange(seriesOf([...before, ...quiet(length, seed + 1)]), timeOf(60))
          assert.ok(same && same.strength < 1.5 && same.strength < stepped.strength)
        }
      )
    )
  })

  test('that the past shows again and again is no news', () => {
    const wave = Array.from({ length: 120 }, (_, n) => (n % 40 < 20 ? 100 : 180) + (n % 3))
    const change = judgeChange(seriesOf(wave), timeOf(100))
    assert.ok(change && change.strength <= 1.01)
    const first = judgeChange(seriesOf(wave.slice(0, 40)), timeOf(20))
    assert.ok(first && first.strength > 5)
  })

  test('is not judged on too little', () => {
    assert.equal(judgeChange(seriesOf([1, 2, 3]), timeOf(2)), undefined)
    assert.equal(judgeChange(seriesOf([]), timeOf(0)), undefined)
    assert.equal(judgeChange(seriesOf(quiet(30, 1)), timeOf(60)), undefined)
  })
})
