import assert from 'node:assert/strict'
import test from 'node:test'
import type { Moment } from './killed/holding-datadog.ts'
import { killAnalyses } from './killed/kill-analyses.ts'

const moments: readonly Moment[] = [
  { request: 1, when: 'before' },
  { request: 1, when: 'after' },
  { request: 4, when: 'before' },
  { request: 8, when: 'after' },
  { request: 12, when: 'before' },
  { request: 'notebook', when: 'before' },
  { request: 'notebook', when: 'after' }
]

test('an analysis killed at any step is finished by another process, with one report and one notebook', async t => {
  const survivors = await killAnalyses(t, moments)
  assert.deepEqual(
    survivors.map(({ requestsBefore: _, requestsAfter: __, attempt, ...survivor }) => ({
      ...survivor,
      isRepeated: attempt > 1
    })),
    moments.map(moment => ({
      moment,
      status: 'done',
      isRepeated: true,
      analyses: 1,
      notebooks: 1,
      verdict: 'suspected_change',
      component: 'checkout-api'
    }))
  )
  // A report that was stored is not gathered again: the notebook is looked for, and made where it is not there.
  const late = survivors.filter(({ moment }) => moment.request === 'notebook')
  for (const { requestsAfter, attempt } of late)
    assert.ok(requestsAfter <= 3 * (attempt - 1), `${requestsAfter} requests`)
})
