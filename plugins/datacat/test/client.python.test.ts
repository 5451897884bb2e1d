import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { createProxy } from '../../../examples/datacat-clients/faults/proxy.ts'
import datacat from '../plugin.ts'
import { temporary } from './faulty-server.ts'

const shared = suiteApp({ plugins: [datacat] })
const run = promisify(execFile)
const cases = fileURLToPath(new URL('python/cases.py', import.meta.url))

/** What the program does, and what the user expects of it. */
const titles = {
  array_of_70000_numbers: 'an array of 70,000 numbers is stored and replaced, and holds nothing up',
  body_of_5_mb: 'a body over the limit is refused before it is queued',
  plain_write_behind_a_gateway:
    'a plain write whose answer was lost behind a gateway is stored once',
  foreign_answers_keep_the_folder:
    "an answer that is not datacat's, and an expired token, let go of nothing",
  redirects_stay_posts: 'a redirected write stays a write',
  pool_workers_and_processes: 'pool workers and processes lose nothing',
  terminated_with_words_queued: 'what is queued at SIGTERM arrives',
  uncaught_exception_with_words_queued: 'what is queued at an uncaught exception arrives',
  exit_with_four_clients_and_no_server:
    'four clients without a server keep the exit for five seconds in all',
  long_and_odd_exceptions: 'a long exception is cut by bytes, and anything may be its data',
  nothing_breaks_the_program: 'a call inside an except block raises nothing of its own',
  tags_times_and_with: 'tags as text and dictionary, datetimes, and sessions in a with statement',
  beat_then_end: 'a beat followed by end() tells of the recovery',
  fork_and_heartbeat: 'a forked child beats, and hangs on no lock of its parent',
  folder_of_20000_files: 'a write to a folder of 20,000 files does not look at all of them',
  files_nobody_can_read:
    'damaged files are set aside, what cannot be read is left alone, neither blocks',
  wrong_clock: 'a clock at 1970 loses nothing',
  proxies_of_the_environment:
    'a proxy of the environment is not asked for the machine itself, and is named',
  interpreter_that_ends: 'a write while the interpreter ends breaks nothing'
} as const
const onPython3: readonly string[] = ['terminated_with_words_queued']

function python(major: 2 | 3): string | undefined {
  const versions = path.join(
    process.env['PYENV_ROOT'] ?? path.join(homedir(), '.pyenv'),
    'versions'
  )
  const own = existsSync(versions)
    ? readdirSync(versions)
        .filter(one => one.startsWith(`${major}.`))
        .map(one => path.join(versions, one, 'bin', 'python'))
    : []
  return [`python${major}`, ...own].find(
    one =>
      spawnSync(one, ['-c', 'import sys; print(sys.version_info[0])'], {
        encoding: 'utf8'
      }).stdout?.trim() === String(major)
  )
}

const once = ['stored, 504', 'stored, 502', 'stored, connection closed', 'stored, half an answer']
const always = [
  '200, JSON of another',
  "200, another's health",
  '401',
  '404 of a proxy',
  'answer after 300 ms',
  '301 to the server',
  '302 to the server',
  '307 to the server'
]

async function runCase(t: TestContext, command: string, name: string): Promise<void> {
  const proxy = await createProxy(shared.url)
  t.after(() => proxy.close())
  const through = (names: readonly string[], times: number): [string, string][] =>
    names.map(fault => [fault, proxy.through(fault, times).url])
  const ways = Object.fromEntries([
    ...through(once, 1),
    ...through(always, Infinity),
    ['stored, 504, again', proxy.through('stored, 504', 1).url]
  ]) as Record<string, string>
  const { stdout } = await run(command, [cases, name], {
    timeout: 90_000,
    env: {
      ...process.env,
      DATACAT_URL: shared.url,
      DATACAT_WAYS: JSON.stringify(ways),
      DATACAT_FOLDER: temporary(t)
    }
  })
  assert.match(stdout, /done\n$/)
}

for (const major of [3, 2] as const) {
  const command = python(major)
  const missing = command === undefined && `there is no python${major}`
  // They mostly wait, for time-outs and for each other's exits.
  describe(`a program in Python ${major}`, { skip: missing, concurrency: 4 }, () => {
    for (const [name, title] of Object.entries(titles))
      test(
        title,
        { skip: major === 2 && onPython3.includes(name) && 'Python 2 would not notice the signal' },
        t => runCase(t, command ?? '', name)
      )
  })
}
