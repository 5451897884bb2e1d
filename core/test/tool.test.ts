import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { definePlugin, defineTool, Type, type ToolContext } from '../index.ts'
import { createLogger } from '../log.ts'
import { createTestApp } from '../testing.ts'

const double = defineTool({
  name: 'double_number',
  title: 'Double a number',
  effect: 'read',
  description: 'Twice the number.',
  input: Type.Object({ number: Type.Number() }),
  output: Type.Object({ twice: Type.Number({ maximum: 100 }) }),
  timeoutMs: 1_000,
  examples: [{ input: { number: 2 } }],
  run: input => Promise.resolve({ twice: input.number * 2 })
})
const planted = definePlugin({
  id: 'planted',
  version: '1.0.0',
  register: app => app.tool(double)
})
const context = (): ToolContext => ({
  account: undefined,
  log: createLogger({ level: 'silent' }),
  signal: AbortSignal.timeout(5_000)
})

describe('a tool', () => {
  test('is run by name, its input and its answer are checked', async t => {
    const { tools } = await createTestApp(t, { plugins: [planted] })
    assert.deepEqual(await tools.execute('double_number', { number: 4 }, context()), { twice: 8 })
    await assert.rejects(tools.execute('double_number', { number: '4' }, context()), {
      code: 'invalid-input'
    })
    await assert.rejects(tools.execute('double_number', { number: 51 }, context()), /output\/twice/)
  })

  test('of another name is refused with the names there are', async t => {
    for (const [plugins, names] of [
      [[planted], 'double_number'],
      [[], 'none']
    ] as const) {
      const { tools } = await createTestApp(t, { plugins })
      await assert.rejects(tools.execute('double', {}, context()), {
        code: 'tool-not-found',
        status: 404,
        message: `there is no tool named 'double'; there are ${names}`
      })
    }
  })
})
