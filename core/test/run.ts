import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { aliveEveryMs, type Told } from './run-report.ts'

// The tree the command stands in, so that the runner itself can be tested on planted ones.
const root = process.cwd()
// These start servers of their own or block the loop; beside others they would only measure the crowd.
const longest = 'core/test/embedded.test.ts'
const alone = (file: string): boolean => file.endsWith('.isolated.test.ts') || file === longest
const leaveMs = 30_000
const silentMs = 420_000
/** One line each for the tests that did not run, with the reason. */
const notRun: string[] = []
const counts = { tests: 0, suites: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0 }

/** Every folder that holds product code and must therefore hold tests. */
function foldersWithTests(): string[] {
  const plugins = readdirSync(path.join(root, 'plugins'))
    .filter(id => existsSync(path.join(root, 'plugins', id, 'plugin.ts')))
    .map(id => `plugins/${id}`)
  const others = ['simulator', 'tools', 'examples'].filter(
    folder => globSync(`${folder}/**/*.ts`, { cwd: root }).length > 0
  )
  return ['core', ...plugins, ...others]
}

function findTests(filters: readonly string[]): string[] {
  const found = globSync(
    ['core', 'plugins', 'simulator', 'tools', 'examples'].map(
      folder => `${folder}/**/test/**/*.test.ts`
    ),
    { cwd: root, exclude: name => name.includes('node_modules') }
  )
    .map(file => file.replaceAll(path.sep, '/'))
    .sort()
  const bare =
    filters.length > 0
      ? []
      : foldersWithTests().filter(folder => !found.some(file => file.startsWith(`${folder}/`)))
  if (bare.length > 0) console.error(`no test file in ${bare.join(', ')}`)
  const chosen = found.filter(
    file => filters.length === 0 || filters.some(filter => file.includes(filter))
  )
  if (chosen.length === 0)
    console.error(
      found.length === 0 ? 'no test file at all' : `no test file matches ${filters.join(' ')}`
    )
  if (chosen.length === 0 || bare.length > 0) process.exit(1)
  return chosen
}

/**
 * Few processes, because reading modules and starting PostgreSQL is what costs: the files that need their own, and
 * groups of equal size.
 */
function split(files: readonly string[]): string[][] {
  const bySize = files
    .filter(file => !alone(file))
    .sort((a, b) => statSync(path.join(root, b)).size - statSync(path.join(root, a)).size)
  const groups: string[][] = Array.from(
    { length: Math.min(Math.max(2, availableParallelism() / 2), Math.ceil(bySize.length / 3)) },
    () => []
  )
  bySize.forEach((file, index) =>
    groups[
      Math.floor(index / groups.length) % 2 === 0
        ? index % groups.length
        : groups.length - 1 - (index % groups.length)
    ]?.push(file)
  )
  // The longest first; the ones with a process of their own mostly wait, so that one more than there are cores may run.
  const [first = [], ...others] = files
    .filter(alone)
    .map(file => [file])
    .sort((a, b) => Number(b[0] === longest) - Number(a[0] === longest))
  return [first, ...groups, ...others].filter(group => group.length > 0)
}

interface Result {
  readonly failed: boolean
}
/** The test processes, and the names of the tests each is in. */
const children = new Map<ChildProcess, string[]>()
let interrupted = false

async function runGroup(files: readonly string[], folder: string): Promise<Result> {
  const url = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
  const child = spawn(
    process.execPath,
    [
      '--test',
      '--test-isolation=none',
      '--test-timeout=300000',
      `--test-reporter=${pathToFileURL(url('./run-report.ts')).href}`,
      '--test-reporter-destination=stdout',
      `--test-global-setup=${url('./run-teardown.ts')}`,
      url('./run-files.ts')
    ],
    {
      cwd: root,
      env: {
        ...process.env,
        TMPDIR: folder,
        NODE_ENV: 'test',
        RAYNE_TEST_FILES: JSON.stringify(files)
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc']
    }
  )
  const told: Told[] = []
  let output = ''
  let busy = 0
  let idleMs = 0
  const kill = (why: string): void => {
    output += `${why}\n`
    child.kill('SIGKILL')
  }
  const silent = setTimeout(
    () => kill(`nothing was heard for ${silentMs / 1000} s: a test blocks the event loop`),
    silentMs
  )
  const running: string[] = []
  children.set(child, running)
  child.on('message', (message: Told) => {
    if (message.type !== 'alive') told.push(message)
    if (message.type === 'begin') running.push(message.name ?? '')
    if (message.type === 'end' && running.includes(message.name ?? ''))
      running.splice(running.indexOf(message.name ?? ''), 1)
    if (message.nesting === 0 && message.type === 'end') busy -= 1
    if (message.nesting === 0 && message.type === 'begin') busy += 1
    // Counted in signs of life: a test that computes for long tells of its begin late, and is not stuck.
    idleMs = busy === 0 && message.type === 'alive' ? idleMs + aliveEveryMs : 0
    if (idleMs === leaveMs)
      kill('no test runs and the process does not end: something is still open')
    silent.refresh()
  })
  child.stdout?.on('data', text => {
    output += String(text)
  })
  child.stderr?.on('data', text => {
    output += String(text)
  })
  const closed = once(child, 'close')
  const code = await new Promise(resolve =>
    child.once('exit', (status, signal) => resolve(signal ?? status))
  )
  // A program that was left behind may hold the pipes open; it is found and told later.
  await Promise.race([closed, sleep(3_000)])
  clearTimeout(silent)
  children.delete(child)
  return { failed: summarise(files, told, output.trim(), code) }
}

const fileOf = (one: Told): string =>
  path.relative(root, (one.file ?? '').replace(/^file:\/\//, '')).replaceAll(path.sep, '/')

/** Prints one line a file and every failure; returns whether anything is wrong. */
function summarise(
  files: readonly string[],
  told: readonly Told[],
  output: string,
  code: unknown
): boolean {
  const wrong = files.map(file =>
    tellOfFile(
      file,
      told.filter(one => fileOf(one) === file)
    )
  )
  for (const one of told.filter(each => isFailure(each) && !files.includes(fileOf(each))))
    console.log(describeFailure(one, fileOf(one)))
  for (const one of told.filter(each => each.type === 'note')) console.log(one.name)
  const summary = told.find(one => one.type === 'summary')?.counts
  for (const key of Object.keys(counts) as (keyof typeof counts)[])
    counts[key] += summary?.[key] ?? 0
  if (output) console.log(output.length > 4_000 ? `… ${output.slice(-4_000)}` : output)
  if (!summary)
    console.log(
      `✖ the process of ${files.join(', ')} ended with ${String(code)} before its summary`
    )
  const warnings = output.match(/^\(node:\d+\) .*Warning: .*$/gm) ?? []
  for (const one of warnings) console.log(`✖ a warning nobody expects: ${one}`)
  return wrong.includes(true) || code !== 0 || !summary || warnings.length > 0
}

/** Prints the line of one file and its failures; returns whether anything is wrong with it. */
function tellOfFile(file: string, own: readonly Told[]): boolean {
  const tests = own.filter(one => one.suite === false)
  const failures = own.filter(isFailure)
  const ms = own.filter(one => one.nesting === 0).reduce((sum, one) => sum + (one.ms ?? 0), 0)
  const wrong = failures.length > 0 || tests.length === 0
  const idle = tests.length === 0 ? ': the file ran nothing' : ''
  console.log(
    `${wrong ? '✖' : '✔'} ${file}  ${tests.length} tests${idle}, ${(ms / 1000).toFixed(1)} s`
  )
  for (const one of failures) console.log(describeFailure(one, file))
  const skipped = own.filter(one => one.skipped !== undefined)
  notRun.push(...skipped.map(one => `﹣ ${one.name} (${file}:${one.line}): ${one.skipped}`))
  return wrong
}

const isFailure = ({ type, failure }: Told): boolean => type === 'fail' && failure !== ''

const describeFailure = ({ name, line, failure = 'failed' }: Told, file: string): string =>
  `  ✖ ${name} (${file}:${line})\n${failure.replace(/^/gm, '      ')}`

/** Programs that were started below the run's folder and are still there; on Linux only. */
function leftBehind(folder: string): { pid: number; command: string }[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap(pid => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
        return command.includes(folder) ||
          readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`TMPDIR=${folder}\0`)
          ? [{ pid: Number(pid), command }]
          : []
      } catch {
        return []
      }
    })
}

async function cleanUp(folder: string): Promise<boolean> {
  for (const until = Date.now() + 5_000; leftBehind(folder).length > 0 && Date.now() < until;)
    await sleep(50)
  const left = leftBehind(folder)
  for (const { pid, command } of left) {
    console.log(`✖ left behind: ${pid} ${command.slice(0, 120)}`)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      /* it ended by itself */
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  return left.length > 0
}

async function main(filters: readonly string[]): Promise<void> {
  const started = performance.now()
  const queue = split(findTests(filters))
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-run-'))
  chmodSync(folder, 0o711)
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      void interrupt(signal, queue, folder)
    })
  let failed = false
  const work = async (): Promise<void> => {
    for (let files = queue.shift(); files; files = queue.shift())
      failed = (await runGroup(files, folder)).failed || failed
  }
  await Promise.all(Array.from({ length: availableParallelism() + 1 }, work))
  if (interrupted) return
  failed = (await cleanUp(folder)) || failed
  const lines = {
    tests: counts.tests,
    suites: counts.suites,
    pass: counts.passed,
    fail: counts.failed,
    cancelled: counts.cancelled,
    skipped: counts.skipped,
    todo: counts.todo,
    duration_ms: Math.round(performance.now() - started)
  }
  for (const [key, value] of Object.entries(lines)) console.log(`ℹ ${key} ${value}`)
  for (const one of notRun) console.log(one)
  const red = counts.failed + counts.cancelled
  if (failed && red === 0) console.log('✖ no test failed, but the run is not green; see above')
  const skipped = counts.skipped + counts.todo
  console.log(`${counts.passed} passed, ${red} failed, ${skipped} skipped`)
  process.exitCode = failed || red > 0 ? 1 : 0
}

async function interrupt(signal: NodeJS.Signals, queue: string[][], folder: string): Promise<void> {
  interrupted = true
  queue.length = 0
  for (const [child, running] of children) {
    console.log(`interrupted in ${running.join(' > ') || 'nothing'}`)
    child.kill('SIGTERM')
  }
  for (const until = Date.now() + 10_000; children.size > 0 && Date.now() < until;) await sleep(50)
  for (const child of children.keys()) child.kill('SIGKILL')
  await cleanUp(folder)
  process.exit(signal === 'SIGINT' ? 130 : 143)
}

await main(process.argv.slice(2))
