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
import { builtInPlugins } from '../load.ts'
import { budgets } from './budgets.ts'
import { areas } from './source-files.ts'
import { inspect, type Inspection } from './architecture.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

function temporary(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-tree-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const write = (folder: string, file: string, text: string): void => {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
  writeFileSync(path.join(folder, file), text)
}
const joined = (...some: readonly string[]): string => `${some.join('\n')}\n`
const lines = (count: number, line = 'export {}'): string =>
  `${Array.from({ length: count }, () => line).join('\n')}\n`
const longFunction = (count: number): string =>
  `export function tall(): number {\n${lines(count - 2, '  Math.random()')}}\n`
const outerFunction = (count: number): string =>
  `export function outer(): unknown[] {\n  return [\n${lines(count, '    () => {\n      return 1\n    },')}  ]\n}\n`
const branchyFunction = (count: number): string =>
  `export function maze(x: number): number {\n${lines(count, '  if (x > 1) x -= 1')}  return x\n}\n`
const pluginOf = (id: string, more = ''): string =>
  joined(
    "import { definePlugin } from '../../core/index.ts'",
    `export default definePlugin({ id: '${id}', version: '1.0.0', ${more}register() {} })`
  )

let looked: Inspection | undefined
/** The tree as it is, looked at once. */
const present = (): Inspection => (looked ??= inspect(root))

describe('the tree', () => {
  test('follows the architecture, and was looked at', () => {
    const { filesLookedAt, violations } = present()
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
      "export const late = (): Promise<unknown> => import('../../core/jobs.ts')\n",
      /^plugins\/beta\/jobs\.ts:1 imports 'core\/jobs\.ts'/
    ],
    [
      'plugins/beta/config.ts',
      "export type Row = import('../../core/db/database.ts').Connection\n",
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
      joined(
        "import { test } from 'node:test'",
        "test.only('x', () => {})",
        "test('y', { todo: true }, () => {})",
        "test('z', { skip: process.platform === 'win32' }, () => {})"
      ),
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
    ['core/long.ts', lines(301), /^core\/long\.ts has 301 lines; a file has at most 300/],
    ['core/fair-length.ts', lines(300), []],
    [
      'core/very-long.ts',
      lines(4_201),
      [
        /^core\/very-long\.ts has 4201 lines; a file has/,
        new RegExp(`^core has \\d+ lines; core has at most ${budgets.core}`)
      ]
    ],
    ...['one', 'two', 'three'].map(name => [`core/postgres/${name}.ts`, lines(299), []] as const),
    [
      'core/postgres/four.ts',
      lines(299),
      /^core\/postgres has \d+ lines; the PostgreSQL launcher has at most 700/
    ],
    [
      'plugins/alpha/test/long.test.ts',
      lines(501),
      /^plugins\/alpha\/test\/long\.test\.ts has 501 lines; a test file has at most 500/
    ],
    [
      'plugins/alpha/clients.py',
      lines(301, 'pass'),
      [
        /^plugins\/alpha\/clients\.py has 301 lines/,
        /^plugins\/alpha\/clients\.py is no room of a plugin/
      ]
    ],
    [
      'core/tall.ts',
      longFunction(51),
      /^core\/tall\.ts:1 tall has 51 lines of its own; a function has at most 50/
    ],
    [
      'core/whole.ts',
      outerFunction(40),
      /^core\/whole\.ts:1 outer has 124 lines as a whole; a function has at most 120/
    ],
    ['core/fair.ts', `${outerFunction(38)}${longFunction(50)}`, []],
    [
      'core/maze.ts',
      branchyFunction(20),
      /^core\/maze\.ts:1 maze has a complexity of 21; a function has at most 20/
    ],
    ['core/fair-maze.ts', branchyFunction(19), []],
    [
      'plugins/alpha/test/suite.test.ts',
      joined(
        `describe('all', () => {\n${lines(125, "  test('one', () => {})")}})`,
        `test('long', () => {\n${lines(125, '  check()')}})`,
        `const build = () => {\n${lines(55, '  check()')}}`
      ),
      [
        /suite\.test\.ts:128 function given to test has 127 lines as a whole/,
        /suite\.test\.ts:255 build has 57 lines of its own/
      ]
    ],
    [
      'core/wide.ts',
      `export const wide = '${'x'.repeat(120)}'\nexport const pattern = /${'x'.repeat(120)}/\n// ${'x'.repeat(118)}\n`,
      /^core\/wide\.ts:1, 3 are over 120 columns/
    ],
    [
      'plugins/alpha/test/wide.test.ts',
      `test('${'x'.repeat(120)}', () => {})\ncheck('${'x'.repeat(120)}')\n`,
      /^plugins\/alpha\/test\/wide\.test\.ts:1 is over 120 columns/
    ],
    [
      'plugins/alpha/service.ts',
      joined(
        'export const answer = 42',
        'export const never = answer as never',
        'export const told = answer as unknown as string',
        'export const sure = [answer][0]!',
        'export const meant = answer as unknown'
      ),
      /^plugins\/alpha has 3 casts \(as never, as unknown as, !\); core\/test\/exceptions\.ts allows 0/
    ],
    [
      'core/round.ts',
      "import type { Way } from './way.ts'\nexport type Round = Way\n",
      /^core\/round\.ts is in a circle of imports: core\/round\.ts, core\/way\.ts$/
    ],
    ['core/way.ts', "export type Way = import('./round.ts').Round\n", []],
    [
      'plugins/alpha/store.ts',
      'export {}\n',
      /^plugins\/alpha\/store\.ts stands beside the folder plugins\/alpha\/store\//
    ],
    ['plugins/alpha/store/rows.ts', 'export {}\n', []],
    [
      'plugins/alpha/jobs.ts',
      "import '../demo/routes.ts'\nimport '../../simulator/simulator.ts'\n",
      [
        /^plugins\/alpha\/jobs\.ts:1 .*nothing of production knows the demo/,
        /^plugins\/alpha\/jobs\.ts:2 .*only the demo, tests, measurements and examples import the simulator/
      ]
    ],
    [
      'core/simulated.ts',
      "import '../simulator/simulator.ts'\n",
      /^core\/simulated\.ts:1 .*only the demo, tests/
    ],
    [
      'simulator/untied.ts',
      "import type { Plugin } from '../core/index.ts'\nexport type Untied = Plugin\n",
      /^simulator\/untied\.ts:1 .*the simulator stands alone/
    ],
    ['examples/one/simulated.ts', "import '../../simulator/simulator.ts'\n", []],
    [
      'plugins/alpha/contract.ts',
      joined(
        "import { createToken, defineEvent, Type } from '../../core/index.ts'",
        "export const AnswersToken = createToken<number>('alpha.answers')",
        "export const Answered = defineEvent('alpha.answered', Type.Object({}))",
        'export const limit = 3'
      ),
      []
    ],
    [
      'plugins/eta/plugin.ts',
      `import { limit } from '../alpha/contract.ts'\nexport const twice = limit * 2\n${pluginOf('eta')}`,
      /^plugins\/eta\/plugin\.ts:1 imports values of 'plugins\/alpha\/contract\.ts': name one of its tokens/
    ],
    [
      'plugins/theta/plugin.ts',
      `import { AnswersToken } from '../alpha/contract.ts'\n${pluginOf('theta', 'wants: { answers: AnswersToken }, ')}`,
      []
    ],
    ['plugins/theta/service.ts', "export { limit } from '../alpha/contract.ts'\n", []],
    [
      'plugins/iota/plugin.ts',
      joined(
        "import { Answered, limit } from '../alpha/contract.ts'",
        "import type { App } from './config.ts'",
        'export const listen = (app: App): void => app.on(Answered, () => limit)',
        pluginOf('iota')
      ),
      []
    ],
    [
      'plugins/kappa/plugin.ts',
      `import type { Answered } from '../alpha/contract.ts'\nexport type Told = typeof Answered\n${pluginOf('kappa')}`,
      []
    ],
    [
      'tools/limited.ts',
      "import { limit } from '../plugins/alpha/contract.ts'\nexport default limit\n",
      /^tools\/limited\.ts:1 imports values of/
    ],
    [
      'tools/needy.ts',
      "import { AnswersToken } from '../plugins/alpha/contract.ts'\nexport default { needs: { answers: AnswersToken } }\n",
      []
    ],
    ['core/broken.ts', 'const = 1\n', /^core\/broken\.ts cannot be parsed/],
    [
      'tools/deep.ts',
      "import { answer } from '../plugins/alpha/service.ts'\nexport default answer\n",
      /^tools\/deep\.ts:1 .*a tool imports core\/index\.ts and contracts/
    ],
    ['tools/long.ts', lines(201), /^tools\/long\.ts has 201 lines; a tool has at most 200/],
    [
      'tools/auto/curious.ts',
      "import 'node:fs'\n",
      /^tools\/auto\/curious\.ts:1 imports 'node:fs'/
    ],
    [
      'examples/one/main.ts',
      "import '../../core/app.ts'\nimport '../../core/testing.ts'\n",
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
    const before = present().violations
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
    const before = present().violations
    const file = path.join(tree, 'core/health.ts')
    const count = readFileSync(file, 'utf8').split('\n').length
    write(tree, 'plugins/webhooks/normalise/leaf.ts', 'export default 1\n')
    appendFileSync(file, "export { default } from '../plugins/webhooks/normalise/leaf.ts'\n")
    assert.deepEqual(
      inspect(tree).violations.filter(one => !before.includes(one)),
      [
        `core/health.ts:${count} imports 'plugins/webhooks/normalise/leaf.ts': core imports npm packages and core only`
      ]
    )
  })
})

describe('an exception', () => {
  const tree = (t: TestContext): string => {
    const folder = temporary(t)
    write(folder, 'core/long.ts', lines(310))
    write(folder, 'core/test/sure.ts', 'export const sure = [1][0]!\n')
    return folder
  }
  const found = (t: TestContext, number: number, castsInTests: number): string[] => {
    const exceptions = [{ path: 'core/long.ts', what: 'lines', number }] as const
    const { violations } = inspect(tree(t), { exceptions, casts: { 'core/test': castsInTests } })
    return violations.filter(one => !one.endsWith('is not there'))
  }

  test('lets pass what it names, and no more', t => {
    assert.deepEqual(found(t, 310, 1), [])
    assert.deepEqual(found(t, 309, 0), [
      'core/long.ts has 310 lines; a file has at most 300 (core/test/exceptions.ts allows 309)',
      'core/test has 1 casts (as never, as unknown as, !); core/test/exceptions.ts allows 0, and the number only falls'
    ])
  })

  test('shrinks with what it names', t => {
    assert.deepEqual(found(t, 311, 2), [
      'core/test/exceptions.ts: core/long.ts has only 310 lines now; lower its 311',
      'core/test/exceptions.ts: core/test has only 1 casts now; lower its 2'
    ])
  })

  test('goes when it is not needed any more', t => {
    const { violations } = inspect(temporary(t), {
      exceptions: [{ path: 'core/gone.ts', what: 'complexity', number: 30 }],
      casts: { core: 1 }
    })
    assert.deepEqual(
      violations.filter(one => one.startsWith('core/test/exceptions.ts')),
      [
        'core/test/exceptions.ts: core/gone.ts needs no exception for complexity any more; delete it',
        'core/test/exceptions.ts: core has only 0 casts now; lower its 1'
      ]
    )
  })
})
