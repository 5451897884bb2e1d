import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
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
import { eventually } from './eventually.ts'

const here = fileURLToPath(new URL('./', import.meta.url))
const head = [
  "import { test } from 'node:test'",
  "import { spawn } from 'node:child_process'",
  "import { writeFileSync } from 'node:fs'",
  ''
].join('\n')
const green = `${head}test('green', () => {})\n`

/** A process that ended and was not waited for keeps its number, and has no command line. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}

/** Starts the runner in a tree of the given files. */
function startRunner(
  t: TestContext,
  files: Readonly<Record<string, string>>
): { child: ChildProcess; folder: string; ended: Promise<{ code: unknown; output: string }> } {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-runner-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  symlinkSync(path.join(here, '../../node_modules'), path.join(folder, 'node_modules'))
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
  mkdirSync(path.join(folder, 'plugins'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    writeFileSync(path.join(folder, name), text)
  }
  const child = spawn(process.execPath, [path.join(here, 'run.ts')], {
    cwd: folder,
    env: { ...process.env, NODE_TEST_CONTEXT: '', NODE_CHANNEL_FD: undefined },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', text => {
      output += String(text)
    })
  return { child, folder, ended: once(child, 'close').then(([code]) => ({ code, output })) }
}

describe('the test runner', { concurrency: 2 }, () => {
  test('is green when everything is, and says how much that was', async t => {
    const { code, output } = await startRunner(t, {
      'core/test/a.test.ts': green,
      'core/test/deep/b.test.ts': `${head}test('one', async t => { await t.test('two', () => {}) })\n`,
      'core/test/c.isolated.test.ts': green
    }).ended
    assert.equal(code, 0, output)
    assert.match(output, /✔ core\/test\/c\.isolated\.test\.ts {2}1 tests/)
    assert.match(output, /ℹ tests 4\n.*ℹ pass 4\nℹ fail 0\n.*\n4 passed, 0 failed, 0 skipped\n$/s)
  })

  test('names what it skipped, and why, before one line of counts', async t => {
    const { code, output } = await startRunner(t, {
      'core/test/a.test.ts': `${green}test('far', { skip: 'needs a folder of recordings' }, () => {})\n`,
      'core/test/b.test.ts': `${head}test('red', () => { throw new Error('on purpose') })\n`
    }).ended
    assert.equal(code, 1, output)
    assert.match(
      output,
      /\n﹣ far \(core\/test\/a\.test\.ts:5\): needs a folder of recordings\n1 passed, 1 failed, 1 skipped\n$/
    )
    assert.equal(output.match(/^\d+ passed, \d+ failed, \d+ skipped$/gm)?.length, 1)
  })

  const red: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    ['nothing to run', {}, /no test file in core\nno test file at all/],
    [
      'a plugin without tests',
      { 'core/test/a.test.ts': green, 'plugins/bare/plugin.ts': 'export {}\n' },
      /no test file in plugins\/bare/
    ],
    [
      'a test that fails',
      { 'core/test/a.test.ts': `${green}test('red', () => { throw new Error('on purpose') })\n` },
      /✖ red \(core\/test\/a\.test\.ts:5\)\n +Error: on purpose[^]*ℹ fail 1\n/
    ],
    [
      'a file that runs nothing',
      { 'core/test/a.test.ts': green, 'core/test/b.test.ts': head },
      /✖ core\/test\/b\.test\.ts {2}0 tests: the file ran nothing/
    ],
    [
      'a file that throws after its first test',
      { 'core/test/a.test.ts': `${green}throw new Error('on purpose')\n` },
      /✖ core\/test\/a\.test\.ts can be imported[^]*on purpose/
    ],
    [
      'a file that ends the process',
      { 'core/test/a.test.ts': `${green}test('exit', () => process.exit(0))\n` },
      /ended with 0 before its summary/
    ],
    [
      'an error after the test',
      {
        'core/test/a.test.ts': `${head}
          const fail = () => { throw new Error('on purpose') }
          test('late', () => { setTimeout(fail, 50) })\n`
      },
      /on purpose/
    ],
    [
      'a warning of the process',
      {
        'core/test/a.test.ts': `${head}test('long', () => { clearTimeout(setTimeout(() => {}, 260 * 86_400_000)) })\n`
      },
      /✖ a warning nobody expects: \(node:\d+\) TimeoutOverflowWarning: 22464000000 does not fit[^]*\n1 passed, 0 failed, 0 skipped\n$/
    ],
    [
      'a warning of a program that a test starts',
      {
        'core/test/a.test.ts': `${head}
          const warn = ['-e', 'process.emitWarning("on purpose")']
          test('one', (_, done) => {
            spawn(process.execPath, warn, { stdio: 'inherit' }).on('exit', () => done())
          })\n`
      },
      /✖ a warning nobody expects: \(node:\d+\) Warning: on purpose/
    ],
    ...(process.platform === 'linux'
      ? [
          [
            'a program left behind',
            {
              'core/test/a.test.ts': `${head}
                test('leaves', () => {
                  spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref()
                })\n`
            },
            /✖ left behind: \d+ sleep 600/
          ] as const
        ]
      : [])
  ]
  for (const [what, files, said] of red) {
    test(`is red on ${what}`, async t => {
      const { code, output } = await startRunner(t, files).ended
      assert.equal(code, 1, output)
      assert.match(output, said)
    })
  }

  test('leaves nothing behind when it is interrupted', async t => {
    const { child, folder, ended } = startRunner(t, {
      'core/test/a.test.ts': [
        head,
        "import { renameSync } from 'node:fs'",
        "test('long', async () => {",
        "  const child = spawn('sleep', ['600'])",
        "  writeFileSync('writing', child.pid + ' ' + process.pid + ' ' + process.env.TMPDIR)",
        "  renameSync('writing', 'pids')",
        '  await new Promise(() => {})',
        '})',
        'setInterval(() => {}, 1000)'
      ].join('\n')
    })
    const [sleeper, worker, temporary = ''] = await eventually(
      'the test to run',
      () =>
        existsSync(path.join(folder, 'pids')) &&
        readFileSync(path.join(folder, 'pids'), 'utf8').split(' '),
      20_000
    )
    child.kill('SIGINT')
    assert.equal((await ended).code, 130)
    for (const pid of [sleeper, worker]) assert.ok(!lives(Number(pid)), `${pid} lives`)
    assert.ok(temporary.includes('rayne-run-') && !existsSync(temporary))
  })
})
