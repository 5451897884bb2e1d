import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { RayneError } from '../errors.ts'
import { compile } from '../schema.ts'
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

test('every schema of every route can be made into code, which a start leaves for later', async t => {
  const app = await createTestApp(t, {
    plugins: await loadPlugins(builtInPlugins()),
    env: { RAYNE_DEMO_MODE: 'off' }
  })
  let looked = 0
  for (const { method, path, spec } of app.router.operations)
    for (const schema of [spec?.params, spec?.query, spec?.body, spec?.response]) {
      if (!schema) continue
      looked += 1
      assert.doesNotThrow(() => checkNothing(schema), `${method} ${path}`)
    }
  assert.ok(looked > 50, `only ${looked} schemas were looked at`)
})

/** Lets a refused value pass: what is asked is whether the schema is one. */
function checkNothing(schema: Parameters<typeof compile>[0]): void {
  try {
    compile(schema)(undefined)
  } catch (error) {
    if (!(error instanceof RayneError)) throw error
  }
}
