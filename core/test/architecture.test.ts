import assert from 'node:assert/strict'
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isAuthClass } from '../auth/principal.ts'
import { definePlugin, Type } from '../index.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'
import { areas } from './source-files.ts'
import { inspect } from './architecture.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

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
  'GET /docs/{file}',
  'GET /metrics',
  'GET /setup',
  'GET /setup/start.js',
  'GET /v1/datacat/export',
  'GET /v1/datacat/live',
  'GET /api/grafana',
  ...['metric-payload-options', 'metrics', 'query', 'tag-keys', 'tag-values', 'variable'].map(
    name => `POST /api/grafana/${name}`
  ),
  ...datacatPaths,
  ...datacatPaths.map(route => route.replace(' ', ' /k/{key}'))
].sort()

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-tree-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const write = (folder: string, file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
  writeFileSync(path.join(folder, file), text)
}
const lines = (count: number, line = 'export {}'): string =>
  `${Array.from({ length: count }, () => line).join('\n')}\n`
const longFunction = (count: number): string =>
  `export function tall(): number {\n${lines(count - 2, '  Math.random()')}}\n`
const pluginOf = (id: string): string =>
  `import { definePlugin } from '../index.ts'\nexport default definePlugin({ id: '${id}', version: '1.0.0', register() {} })\n`

describe('the tree', () => {
  test('follows the architecture, and was looked at', () => {
    const { filesLookedAt, violations } = inspect(root)
    assert.deepEqual(violations, [])
    assert.ok(filesLookedAt.core >= 50, `${filesLookedAt.core} files of core`)
    assert.ok(
      filesLookedAt.plugins >= 15 * builtInPlugins().length,
      `${filesLookedAt.plugins} files of plugins`
    )
    for (const area of areas)
      assert.ok(
        filesLookedAt[area] >=
          readdirSync(path.join(root, area)).filter(name => name.endsWith('.ts')).length,
        area
      )
  })

  test('that is empty is refused, not praised', t => {
    const { filesLookedAt, violations } = inspect(temporary(t))
    assert.ok(violations.includes('looked at 0 files'))
    assert.deepEqual(violations.filter(one => one.endsWith('is not there')).length, areas.length)
    assert.equal(
      Object.values(filesLookedAt).reduce((sum, count) => sum + count, 0),
      0
    )
  })
})

describe('what breaks the architecture is reported by name', () => {
  const plants: readonly (readonly [string, string, RegExp | readonly RegExp[]])[] = [
    ['plugins/alpha/plugin.ts', pluginOf('alpha'), []],
    ['plugins/alpha/service.ts', 'export const answer = 42\n', []],
    ['plugins/beta/plugin.ts', pluginOf('beta'), []],
    [
      'plugins/beta/service.ts',
      "import { answer } from '../alpha/service.ts'\nexport default answer\n",
      /^plugins\/beta\/service\.ts:1 imports 'plugins\/alpha\/service\.ts': a plugin imports/
    ],
    [
      'plugins/beta/store.ts',
      "export type { Answer } from '../alpha/service.ts'\n",
      /^plugins\/beta\/store\.ts:1 imports 'plugins\/alpha\/service\.ts'/
    ],
    [
      'plugins/beta/jobs.ts',
      "export const late = (): Promise<unknown> => import('../jobs.ts')\n",
      /^plugins\/beta\/jobs\.ts:1 imports 'core\/jobs\.ts'/
    ],
    [
      'plugins/beta/config.ts',
      "export type Row = import('../db/database.ts').Connection\n",
      /^plugins\/beta\/config\.ts:1 imports 'core\/db\/database\.ts'/
    ],
    [
      'plugins/beta/routes.ts',
      "import '@datadog/datadog-api-client/dist/index.js'\nimport 'left-pad'\n",
      [
        /^plugins\/beta\/routes\.ts:1 imports '@datadog.*has one owner/,
        /^plugins\/beta\/routes\.ts:2 imports 'left-pad'.*not a package/
      ]
    ],
    [
      'plugins/beta/contract.ts',
      "export * from './service.ts'\n",
      /^plugins\/beta\/contract\.ts:1 .*a contract imports core\/index\.ts/
    ],
    [
      'plugins/beta/pages.ts',
      'const name = String(1)\nexport default await import(name)\n',
      /^plugins\/beta\/pages\.ts:2 imports '\(computed\)'/
    ],
    [
      'plugins/beta/helpers.ts',
      'export {}\n',
      [
        /^plugins\/beta\/helpers\.ts is named after nothing/,
        /^plugins\/beta\/helpers\.ts is no room/
      ]
    ],
    [
      'plugins/beta/migrations/later.ts',
      'export {}\n',
      /^plugins\/beta\/migrations\/later\.ts is not named/
    ],
    [
      'plugins/beta/test/beta.test.ts',
      "import { test } from 'node:test'\ntest.only('x', () => {})\ntest('y', { todo: true }, () => {})\ntest('z', { skip: process.platform === 'win32' }, () => {})\n",
      [
        /^plugins\/beta\/test\/beta\.test\.ts has a test that is only/,
        /^plugins\/beta\/test\/beta\.test\.ts has a test that is todo/
      ]
    ],
    [
      'plugins/gamma/plugin.ts',
      pluginOf('delta'),
      /^plugins\/gamma\/plugin\.ts says its id is 'delta'/
    ],
    [
      'plugins/epsilon/plugin.ts',
      `${pluginOf('epsilon')}${lines(79)}`,
      /^plugins\/epsilon\/plugin\.ts has 81 lines; a plugin\.ts has at most 80/
    ],
    ['plugins/zeta/service.ts', 'export {}\n', /^plugins\/zeta has no plugin\.ts/],
    [
      'core/imports.ts',
      "import plugin from '../plugins/alpha/plugin.ts'\nexport default plugin\n",
      /^core\/imports\.ts:1 imports 'plugins\/alpha\/plugin\.ts': core imports/
    ],
    [
      'core/queue.ts',
      "import { PgBoss } from 'pg-boss'\nexport default PgBoss\n",
      /^core\/queue\.ts:1 imports 'pg-boss'/
    ],
    [
      'core/tested.ts',
      "import './test/architecture.ts'\n",
      /^core\/tested\.ts:1 .*product code does not import tests/
    ],
    [
      'core/long.ts',
      lines(300),
      [
        /^core\/long\.ts has 300 lines; a file has at most 250/,
        /^core has \d+ lines; it has at most 2500/
      ]
    ],
    ['core/very-long.ts', lines(2_000), /^core\/very-long\.ts has 2000 lines/],
    [
      'core/tall.ts',
      longFunction(41),
      /^core\/tall\.ts:1 tall has 41 lines of its own; a function has at most 40/
    ],
    [
      'core/fair.ts',
      `export function outer(): unknown[] {\n  return [\n${lines(30, '    () => {\n      return 1\n    },')}  ]\n}\n${longFunction(40)}`,
      []
    ],
    ['core/broken.ts', 'const = 1\n', /^core\/broken\.ts cannot be parsed/],
    [
      'tools/deep.ts',
      "import { answer } from '../plugins/alpha/service.ts'\nexport default answer\n",
      /^tools\/deep\.ts:1 .*a tool imports core\/index\.ts and contracts/
    ],
    ['tools/long.ts', lines(151), /^tools\/long\.ts has 151 lines; a tool has at most 150/],
    [
      'tools/auto/curious.ts',
      "import 'node:fs'\n",
      /^tools\/auto\/curious\.ts:1 imports 'node:fs'/
    ],
    [
      'examples/one/main.ts',
      "import '../app.ts'\nimport '../testing.ts'\n",
      /^examples\/one\/main\.ts:1 .*what a stranger could/
    ],
    [
      'bench/where.ts',
      `export const where = '${['', 'home', 'somebody', 'data'].join('/')}'\n`,
      /^bench\/where\.ts holds '\/home\/somebody'/
    ]
  ]

  test('each of the planted ones, and nothing else', t => {
    const tree = temporary(t)
    for (const area of areas)
      cpSync(path.join(root, area), path.join(tree, area), { recursive: true })
    const before = inspect(tree).violations
    for (const [file, text] of plants) write(tree, file, text)
    const found = inspect(tree).violations.filter(one => !before.includes(one))
    const expected = plants.flatMap(([, , wanted]) => wanted)
    for (const wanted of expected)
      assert.ok(
        found.some(one => wanted.test(one)),
        `${wanted} is not among\n${found.join('\n')}`
      )
    assert.deepEqual(
      found.filter(one => !expected.some(wanted => wanted.test(one))),
      []
    )
    assert.equal(found.length, expected.length)
  })

  test('a bad import in the middle of a real file', t => {
    const tree = temporary(t)
    for (const area of areas)
      cpSync(path.join(root, area), path.join(tree, area), { recursive: true })
    const before = inspect(tree).violations
    const file = path.join(tree, 'core/health.ts')
    const count = readFileSync(file, 'utf8').split('\n').length
    appendFileSync(file, "export { default } from '../plugins/webhooks/plugin.ts'\n")
    assert.deepEqual(
      inspect(tree).violations.filter(one => !before.includes(one)),
      [
        `core/health.ts:${count} imports 'plugins/webhooks/plugin.ts': core imports npm packages and core only`
      ]
    )
  })
})

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
