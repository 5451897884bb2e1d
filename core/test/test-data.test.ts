import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { testData, type TestDataPlace } from './test-data.ts'

function place(t: TestContext, env: TestDataPlace['env'] = {}): TestDataPlace & { base: string } {
  const base = mkdtempSync(path.join(tmpdir(), 'rayne-data-'))
  t.after(() => rmSync(base, { recursive: true, force: true }))
  mkdirSync(path.join(base, 'beside', 'recordings'), { recursive: true })
  mkdirSync(path.join(base, 'given', 'logs'), { recursive: true })
  return { base, env, besideRepository: path.join(base, 'beside') }
}

describe('data beside the repository', () => {
  test('is found there, and elsewhere when RAYNE_TEST_DATA says so', t => {
    const { base, ...beside } = place(t)
    const found = testData('recordings', beside)
    assert.equal(found.skip, false)
    assert.equal(found.folder(), path.join(base, 'beside', 'recordings'))
    const given = { ...beside, env: { RAYNE_TEST_DATA: path.join(base, 'given') } }
    assert.equal(testData('logs', given).folder(), path.join(base, 'given', 'logs'))
    assert.notEqual(testData('recordings', given).skip, false)
    assert.equal(testData('recordings', { ...beside, env: { RAYNE_TEST_DATA: '' } }).skip, false)
  })

  test('that is missing is a reason to skip which says what and how', t => {
    const { base, ...beside } = place(t)
    const { skip } = testData('logs', beside)
    assert.equal(
      skip,
      `there is no folder '${path.join(base, 'beside', 'logs')}'; set RAYNE_TEST_DATA=DIR to the folder that holds logs`
    )
  })

  test('that is missing fails where CI says that nothing may be skipped', t => {
    for (const [ci, skips] of [
      ['true', false],
      ['1', false],
      ['false', true],
      ['', true]
    ] as const) {
      const { base: _base, ...strict } = place(t, { CI: ci })
      const data = testData('logs', strict)
      assert.equal(data.skip !== false, skips, `CI=${ci}`)
      assert.throws(() => data.folder(), /there is no folder '.*logs'; set RAYNE_TEST_DATA=DIR/)
    }
  })
})
