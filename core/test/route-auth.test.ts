import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isAuthClass } from '../auth/principal.ts'
import { definePlugin, Type } from '../index.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'

/** Routes that speak HTTP themselves; a new one is added here by name, and looked at. */
const datacatPaths = [
  'GET /api/grafana/sessions',
  'GET /api/sessions/{id}',
  'POST /api/sessions',
  ...['end', 'events', 'metrics', 'state'].map(verb => `POST /api/sessions/{id}/${verb}`),
  '* /api/*rest'
]
const rawRoutes = [
  'GET /docs',
  'GET /docs/start.js',
  'GET /docs/style.css',
  'GET /metrics',
  'GET /setup',
  'GET /setup/start.js',
  'GET /setup/style.css',
  'GET /v1/datacat/export',
  'GET /v1/datacat/live',
  'GET /v1/rca/{id}/steps/live',
  'GET /v1/webhooks/events/{id}/raw',
  'GET /api/grafana',
  ...['metric-payload-options', 'metrics', 'query', 'tag-keys', 'tag-values', 'variable'].map(
    name => `POST /api/grafana/${name}`
  ),
  'GET /.well-known/oauth-protected-resource',
  'GET /.well-known/oauth-protected-resource/mcp',
  'POST /mcp',
  'GET /mcp',
  'DELETE /mcp',
  'POST /v1/webhooks/test-notify',
  ...datacatPaths,
  ...datacatPaths.map(route => route.replace(' ', ' /k/{key}'))
].sort()

describe('routes', () => {
  test('all name their auth, and the raw ones are known', async t => {
    const app = await createTestApp(t, { plugins: await loadPlugins(builtInPlugins()) })
    const { operations } = app.router
    assert.ok(operations.length >= 15 + app.plugins.length, `${operations.length} routes`)
    assert.deepEqual(app.plugins.toSorted(), builtInPlugins())
    assert.deepEqual(
      operations.filter(one => !isAuthClass(one.auth)),
      []
    )
    assert.deepEqual(
      operations
        .filter(one => !one.spec)
        .map(one => `${one.method} ${one.path}`)
        .toSorted(),
      rawRoutes
    )
    assert.deepEqual(
      operations.filter(one => one.summary.trim() === ''),
      []
    )
  })

  for (const [what, auth] of [
    ['none', undefined],
    ['an unknown one', 'everybody'],
    ['an empty scope', 'scope:']
  ] as const) {
    test(`with ${what} as auth fail the boot by name`, async t => {
      const planted = definePlugin({
        id: 'planted',
        version: '1.0.0',
        register(app) {
          app.route({
            method: 'GET',
            path: '/open',
            summary: 'open',
            auth: auth as never,
            response: Type.Object({}),
            handle: () => ({})
          })
        }
      })
      await assert.rejects(
        createTestApp(t, { plugins: [planted] }),
        /route GET \/v1\/planted\/open of 'planted' names no valid auth/
      )
    })
  }

  test('that are raw and have no auth fail the boot by name too', async t => {
    const planted = definePlugin({
      id: 'planted',
      version: '1.0.0',
      register(app) {
        app.raw('GET', '/open', { summary: 'open' } as never, () => {})
      }
    })
    await assert.rejects(
      createTestApp(t, { plugins: [planted] }),
      /route GET \/open of 'planted' names no valid auth/
    )
  })
})
