import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readSources } from './source-files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

/** Runs a tool of `node_modules/.bin` as its npm script does. */
function run(
  script: string,
  cwd: string,
  ...extra: readonly string[]
): Promise<{ code: number; output: string }> {
  const [name = '', ...args] = (scripts[script] ?? '').split(' ')
  return new Promise((resolve, reject) => {
    execFile(
      path.join(root, 'node_modules/.bin', name),
      [...args, ...extra],
      { cwd, env: { ...process.env, NO_COLOR: '1' }, maxBuffer: 50_000_000 },
      (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error)
        else resolve({ code: Number(error?.code ?? 0), output: stdout + stderr })
      }
    )
  })
}

/** A tree of the given files with the configuration of ours. */
function plant(t: TestContext, files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-guards-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['.oxlintrc.json', '.oxfmtrc.json', 'knip.json', 'tsconfig.json'])
    copyFileSync(path.join(root, name), path.join(folder, name))
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "planted", "type": "module" }')
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}

describe('the guards look', { concurrency: true }, () => {
  test('types: tsc looks at every source file', async () => {
    const { output } = await run('types', root, '--listFilesOnly')
    const listed = new Set(
      output.split('\n').map(line => path.relative(root, line.trim()).replaceAll(path.sep, '/'))
    )
    const sources = readSources(root).filter(file => /\.tsx?$/.test(file.path))
    assert.ok(sources.length > 100)
    assert.deepEqual(
      sources.filter(file => !listed.has(file.path)).map(file => file.path),
      []
    )
  })

  test('types: tsc sees what is planted', async t => {
    const { code, output } = await run(
      'types',
      plant(t, { 'core/main.ts': "export const n: number = 'one'\n" })
    )
    assert.notEqual(code, 0)
    assert.match(output, /core\/main\.ts.*TS2322/)
  })

  test('lint: oxlint looks at every source file', async () => {
    const { output } = await run('lint', root, '--format', 'json')
    const { number_of_files: files, number_of_rules: rules } = JSON.parse(output) as {
      number_of_files: number
      number_of_rules: number
    }
    const sources = readSources(root).filter(file => /\.(?:tsx?|m?js)$/.test(file.path))
    assert.ok(sources.length > 400 && files >= sources.length, `${files} files`)
    assert.ok(rules > 100, `${rules} rules`)
  })

  test('lint: oxlint sees what is planted', async t => {
    const { code, output } = await run(
      'lint',
      plant(t, {
        'core/main.ts': "import fs from 'fs'\nexport const eq = (a: any): boolean => a == fs\n",
        'plugins/a/plugin.ts': 'let never = 1\nexport default never\n',
        'core/x.ts': "import './y.ts'\nexport const x = 1\n",
        'core/y.ts': "import './x.ts'\nexport const y = 1\n"
      })
    )
    assert.notEqual(code, 0)
    for (const rule of [
      'eqeqeq',
      'no-explicit-any',
      'prefer-node-protocol',
      'prefer-const',
      'no-cycle'
    ])
      assert.match(output, new RegExp(rule))
  })

  test('format: oxfmt sees what is planted', async t => {
    const { code, output } = await run(
      'format:check',
      plant(t, {
        'core/fine.ts': 'export const one = 1\n',
        'plugins/a/test/joined.ts': 'export const one = 1; export const two = "2"\n'
      })
    )
    assert.notEqual(code, 0)
    assert.match(output, /plugins\/a\/test\/joined\.ts/)
    assert.doesNotMatch(output, /core\/fine\.ts/)
  })

  test('unused: knip sees what is planted', async t => {
    const { code, output } = await run(
      'unused',
      plant(t, {
        'core/main.ts':
          "import { used } from './part.ts'\nimport 'left-pad'\nexport default used\n",
        'core/part.ts': 'export const used = 1\nexport const idle = 2\n',
        'core/lost.ts': 'export default 1\n',
        'plugins/a/plugin.ts': 'export default 1\n',
        'plugins/a/lost.ts': 'export default 1\n'
      })
    )
    assert.notEqual(code, 0)
    for (const found of [
      /core\/lost\.ts/,
      /plugins\/a\/lost\.ts/,
      /idle\s+core\/part\.ts/,
      /left-pad/
    ])
      assert.match(output, found)
    assert.doesNotMatch(output, /plugins\/a\/plugin\.ts/)
  })
})
