import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readReport } from '../eval/verdict.ts'
import { loadScenario } from '../scenarios/load-scenario.ts'
import { scenarioNames } from '../scenarios/scenario-files.ts'
import { analyse, gradeOf, simulate } from './contest.ts'

const leastScore = 85
const variants = [1, 2]
// What a world's series do by chance depends on the time: the same every day is what a test can hold.
const base = Date.UTC(2026, 0, 31, 12)
const worlds = scenarioNames().filter(name => loadScenario(name).full.truth !== undefined)

test('there are worlds to hold the score in', () => {
  assert.ok(worlds.length >= 10, worlds.join(', '))
})

for (const world of worlds)
  test(`the report without a model scores ${leastScore} on ${world} and blames no distractor`, async t => {
    for (const variant of variants)
      await t.test(`variant ${variant}`, async inner => {
        const simulator = await simulate(world, variant, base)
        inner.after(() => simulator.close())
        const { grade, right } = gradeOf(simulator, readReport(await analyse(inner, simulator)))
        const lost = grade.marks
          .filter(({ why }) => why !== '')
          .map(({ name, why }) => `${name}: ${why}`)
        assert.ok(grade.score >= leastScore, `${grade.score}: ${lost.join('; ')}`)
        assert.ok(right && !grade.capped, lost.join('; '))
        const blamed = grade.marks.find(({ name }) => name === 'distractors')
        assert.equal(blamed?.points, blamed?.of, blamed?.why)
      })
  })
