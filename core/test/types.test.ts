import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const fixture = fileURLToPath(new URL('./types.fixture.ts', import.meta.url))
const tsc = path.join(
  path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')),
  'bin/tsc'
)

/** What the compiler says of some files, as `file:line code`, sorted. */
async function compileAll(
  folder: string,
  files: Readonly<Record<string, string>>
): Promise<string[]> {
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(
    path.join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [path.join(root, 'node_modules/@types')] },
      include: [],
      files: Object.keys(files)
    })
  )
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      process.execPath,
      [tsc, '--noEmit', '--pretty', 'false', '-p', folder],
      { cwd: folder },
      (error, stdout, stderr) =>
        error && typeof error.code !== 'number' ? reject(error) : resolve(stdout + stderr)
    )
  })
  return output
    .split('\n')
    .filter(line => line.includes('error'))
    .map(line => line.replace(/^(.+?)\((\d+),\d+\): error (TS\d+):.*$/, '$1:$2 $3'))
    .sort()
}

test('misuse of the plugin contract is a compile error, and its right twin is not', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-types-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = readFileSync(fixture, 'utf8').replace(
    "'../index.ts'",
    JSON.stringify(path.join(root, 'core/index.ts'))
  )
  const expected = text.split('\n').flatMap((line, index) => {
    const code = /^ *\/\/ @ts-expect-error (\d+)/.exec(line)?.[1]
    return code === undefined ? [] : [`bare.ts:${index + 2} TS${code}`]
  })
  assert.ok(expected.length >= 18, `${expected.length} misuses`)
  const found = await compileAll(folder, {
    'guarded.ts': text,
    'bare.ts': text.replaceAll('// @ts-expect-error', '// here'),
    'unused.ts': '// @ts-expect-error 2322: this line is right\nexport const right: number = 1\n'
  })
  assert.deepEqual(found, [...expected, 'unused.ts:1 TS2578'].sort())
})
