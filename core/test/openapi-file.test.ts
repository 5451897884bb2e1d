import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'
import { version } from '../version.ts'

const file = new URL('../../assets/openapi.json', import.meta.url)

test('assets/openapi.json is what the built-in plugins serve; `npm run openapi` writes it anew', async t => {
  const app = await createTestApp(t, {
    plugins: await loadPlugins(builtInPlugins()),
    env: { RAYNE_DEMO_MODE: 'off' }
  })
  const { body } = await app.call('GET', '/openapi.json')
  const { info } = body as { info: object }
  const released = { ...(body as object), info: { ...info, version } }
  const served = `${JSON.stringify(released, null, 2)}\n`
  if (process.env['UPDATE_OPENAPI'] === '1') writeFileSync(file, served)
  assert.ok(Object.keys((body as { paths: object }).paths).length > 15)
  assert.equal(
    readFileSync(file, 'utf8'),
    served,
    'assets/openapi.json is stale: run `npm run openapi` and commit it'
  )
})
