import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { createGroupCommit } from '../db/group-commit.ts'
import type { RayneError } from '../errors.ts'

describe('group commit', () => {
  test('gives each caller its own result, and a bad item fails alone', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            value: fc.integer(),
            bad: fc.boolean(),
            wait: fc.integer({ min: 0, max: 3 })
          }),
          { maxLength: 60 }
        ),
        fc.integer({ min: 1, max: 9 }),
        async (items, batch) => {
          const group = createGroupCommit<{ value: number; bad: boolean }, string>(
            async flushed => {
              await turn()
              if (flushed.some(item => item.bad))
                throw new Error(`bad ${flushed.find(item => item.bad)?.value}`)
              return flushed.map(item => `stored ${item.value}`)
            },
            { batch }
          )
          const results = await Promise.allSettled(
            items.map(async item => {
              for (let turns = item.wait; turns > 0; turns--) await turn()
              return group.add(item)
            })
          )
          results.forEach((result, index) => {
            const { value, bad } = items[index]!
            if (bad) assert.equal((result as PromiseRejectedResult).reason.message, `bad ${value}`)
            else assert.equal((result as PromiseFulfilledResult<string>).value, `stored ${value}`)
          })
        }
      ),
      { numRuns: 100 }
    )
  })

  test('shares flushes: two in flight, the rest together', async () => {
    const sizes: number[] = []
    let running = 0
    let most = 0
    const group = createGroupCommit<number, number>(
      async items => {
        sizes.push(items.length)
        most = Math.max(most, ++running)
        for (let turns = 0; turns < 5; turns++) await turn()
        running -= 1
        return items
      },
      { batch: 50 }
    )
    const results = await Promise.all(Array.from({ length: 200 }, (_, index) => group.add(index)))
    assert.deepEqual(
      results,
      Array.from({ length: 200 }, (_, index) => index)
    )
    assert.ok(sizes.length <= 6, `took ${sizes.length} flushes: ${sizes.join(' ')}`)
    assert.equal(most, 2)
  })

  test('answers before the caller only after the flush has returned', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const group = createGroupCommit<number, number>(async items => {
      await promise
      return items
    })
    let answered = false
    const waiting = group.add(1).then(() => {
      answered = true
    })
    for (let turns = 0; turns < 5; turns++) await turn()
    assert.equal(answered, false)
    resolve()
    await waiting
    assert.equal(answered, true)
  })

  test('refuses with 503 and Retry-After when too many wait', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const group = createGroupCommit<number, number>(
      async items => {
        await promise
        return items
      },
      { limit: 3, batch: 1 }
    )
    const accepted = [1, 2].map(group.add)
    for (let turns = 0; turns < 5; turns++) await turn()
    accepted.push(...[3, 4, 5].map(group.add))
    await assert.rejects(
      group.add(6),
      (error: RayneError) =>
        error.status === 503 && error.code === 'overloaded' && error.details.retryAfterSeconds === 1
    )
    resolve()
    assert.deepEqual(await Promise.all(accepted), [1, 2, 3, 4, 5])
  })
})
