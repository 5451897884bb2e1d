import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, test } from 'node:test'
import { readPluginConfig, readSettings } from '../config.ts'
import { definePlugin, Type } from '../index.ts'
import { createTestApp } from '../testing.ts'

const key = 'k'.repeat(32)

describe('the settings of the process', () => {
  test('have defaults', () => {
    const settings = readSettings({})
    assert.deepEqual(
      { ...settings, home: path.basename(settings.home) },
      {
        host: '127.0.0.1',
        port: 8080,
        home: '.rayne',
        plugins: undefined,
        web: true,
        worker: true,
        protected: false,
        secretKey: undefined,
        ingestRate: 1_000,
        addressConnections: 1_000,
        allowedOrigins: [],
        ingestSecrets: [],
        publicUrl: undefined,
        trustedProxies: [],
        logLevel: 'info',
        databaseUrl: undefined,
        production: false
      }
    )
    assert.ok(path.isAbsolute(settings.home))
  })

  test('come from the environment; empty is unset', () => {
    const settings = readSettings({
      HOST: '0.0.0.0',
      PORT: '',
      RAYNE_SECRET_KEY: key,
      RAYNE_PLUGINS: ' webhooks, rca ,',
      RAYNE_ROLE: 'worker',
      RAYNE_INGEST_SECRETS: `${'a'.repeat(16)},${'b'.repeat(16)}`,
      NODE_ENV: 'production'
    })
    assert.equal(settings.port, 8080)
    assert.deepEqual(settings.plugins, ['webhooks', 'rca'])
    assert.deepEqual(
      [settings.web, settings.worker, settings.protected, settings.production],
      [false, true, true, true]
    )
    assert.equal(settings.ingestSecrets.length, 2)
    assert.equal(readSettings({ RAYNE_AUTH: 'required' }).protected, true)
  })

  const urls: readonly (readonly [Record<string, string>, string | undefined])[] = [
    [{ DB_HOST: 'db' }, 'postgres://rayne@db:5432/rayne'],
    [
      {
        DB_HOST: 'db',
        DB_PORT: '6432',
        DB_USER: 'me@x',
        DB_PASSWORD: 'p:w/d@long',
        DB_NAME: 'my db',
        DB_SSLMODE: 'require'
      },
      'postgres://me%40x:p%3Aw%2Fd%40long@db:6432/my%20db?sslmode=require'
    ],
    [{ DB_HOST: 'db', DATABASE_URL: 'postgres://u@elsewhere/d' }, 'postgres://u@elsewhere/d'],
    [{ DB_HOST: '', DB_NAME: 'x' }, undefined]
  ]
  for (const [environment, url] of urls) {
    test(`${JSON.stringify(environment)} is the database ${url}`, () =>
      assert.equal(readSettings(environment).databaseUrl, url))
  }

  const refused: readonly (readonly [Record<string, string>, RegExp])[] = [
    [{ PORT: 'eighty' }, /^PORT must be integer/],
    [{ PORT: '70000' }, /^PORT must be <= 65535/],
    [{ RAYNE_ROLE: 'boss' }, /^RAYNE_ROLE /],
    [{ RAYNE_AUTH: 'none' }, /^RAYNE_AUTH /],
    [{ RAYNE_LOG_LEVEL: 'loud' }, /^RAYNE_LOG_LEVEL /],
    [{ RAYNE_SECRET_KEY: 'short' }, /^RAYNE_SECRET_KEY must NOT have fewer than 32 characters/],
    [
      { RAYNE_INGEST_SECRETS: `${'a'.repeat(16)},short` },
      /^RAYNE_INGEST_SECRETS: each secret needs at least 16 characters/
    ],
    [{ RAYNE_PUBLIC_URL: 'rayne.example.com' }, /^RAYNE_PUBLIC_URL /],
    [{ HOST: '0.0.0.0' }, /^HOST=0\.0\.0\.0 is reachable from outside: set RAYNE_SECRET_KEY first/],
    [{ HOST: '::' }, /^HOST=:: is reachable from outside/],
    [{ HOST: '10.0.0.7' }, /is reachable from outside/],
    [{ HOST: '127.example.com' }, /is reachable from outside/]
  ]
  for (const [environment, message] of refused) {
    test(`${JSON.stringify(environment)} is refused in a sentence that names it`, () =>
      assert.throws(() => readSettings(environment), { code: 'boot-failed', message }))
  }

  test('refuse without repeating a secret', () => {
    assert.throws(
      () => readSettings({ RAYNE_SECRET_KEY: 'hunter2hunter2' }),
      (error: Error) => !error.message.includes('hunter2')
    )
  })

  for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', '::1']) {
    test(`${host} is this machine: no secret is asked for`, () =>
      assert.equal(readSettings({ HOST: host }).protected, false))
  }
})

const schema = Type.Object(
  {
    limit: Type.Integer({ default: 3, minimum: 1 }),
    names: Type.Array(Type.String(), { default: [] }),
    on: Type.Boolean({ default: false }),
    site_key: Type.Optional(Type.String({ writeOnly: true, env: ['OLD_KEY', 'OLDER_KEY'] }))
  },
  { additionalProperties: false }
)

describe("a plugin's settings", () => {
  const read = (environment: Record<string, string>): unknown =>
    readPluginConfig('my-plugin', schema, environment)

  test('have defaults', () => assert.deepEqual(read({}), { limit: 3, names: [], on: false }))
  test('carry its name and their own types', () =>
    assert.deepEqual(
      read({
        RAYNE_MY_PLUGIN_LIMIT: '7',
        RAYNE_MY_PLUGIN_NAMES: 'a, b',
        RAYNE_MY_PLUGIN_ON: 'true'
      }),
      { limit: 7, names: ['a', 'b'], on: true }
    ))
  test('have aliases; the own name wins, then the first alias', () => {
    assert.equal(
      (read({ OLDER_KEY: 'older', OLD_KEY: 'old' }) as { site_key: string }).site_key,
      'old'
    )
    assert.equal(
      (read({ OLD_KEY: 'old', RAYNE_MY_PLUGIN_SITE_KEY: 'own' }) as { site_key: string }).site_key,
      'own'
    )
    assert.equal(
      (read({ OLDER_KEY: 'older', OLD_KEY: '' }) as { site_key: string }).site_key,
      'older'
    )
  })
  test('are refused by name when unknown', () =>
    assert.throws(() => read({ RAYNE_MY_PLUGIN_LIMITS: '7' }), {
      message:
        /^RAYNE_MY_PLUGIN_LIMITS is not a setting of plugin 'my-plugin'; it knows RAYNE_MY_PLUGIN_LIMIT, /
    }))
  test('are refused by the name of the variable they came from', () => {
    assert.throws(() => read({ RAYNE_MY_PLUGIN_LIMIT: '0' }), {
      message: /^RAYNE_MY_PLUGIN_LIMIT must be >= 1/
    })
    assert.throws(
      () =>
        readPluginConfig('p', Type.Object({ size: Type.Integer({ env: ['OLD_SIZE'] }) }), {
          OLD_SIZE: 'big'
        }),
      { message: /^OLD_SIZE must be integer/ }
    )
    assert.throws(() => readPluginConfig('p', Type.Object({ size: Type.Integer() }), {}), {
      message: /^RAYNE_P_SIZE is required/
    })
  })
  test('reach the plugin typed, and a bad one aborts the boot', async t => {
    let limit = 0
    const plugin = definePlugin({
      id: 'my-plugin',
      version: '1.0.0',
      config: schema,
      register(app) {
        limit = app.config.limit
      }
    })
    await createTestApp(t, { plugins: [plugin], env: { RAYNE_MY_PLUGIN_LIMIT: '9' } })
    assert.equal(limit, 9)
    await assert.rejects(
      createTestApp(t, { plugins: [plugin], env: { RAYNE_MY_PLUGIN_LIMIT: 'x' } }),
      /^RayneError: RAYNE_MY_PLUGIN_LIMIT must be integer/
    )
  })
})
