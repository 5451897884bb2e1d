import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Suspect {
  readonly title: string
  readonly at: string
  readonly score: number
}
interface Analysis {
  readonly id: string
  readonly account: string
  readonly alert: { readonly monitor_id: string }
  readonly report: {
    readonly verdict: string
    readonly summary: string
    readonly onset: { readonly at: string }
    readonly suspects: readonly Suspect[]
  }
}
/** What must not change when a recording is replayed. */
export interface Essence {
  readonly verdict: string
  readonly onset: string
  readonly suspects: readonly Suspect[]
}

const command = fileURLToPath(new URL('bin.js', import.meta.resolve('rayne')))
const waitMs = 120_000

/** Settings of this run alone: no account, database or port of the machine is used. */
function environment(home: string, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(?:DD_|DB_|RAYNE_|DATABASE_URL|HOST$|PORT$|NODE_ENV|NODE_OPTIONS)/.test(name)
  )
  return { ...Object.fromEntries(own), RAYNE_HOME: home, PORT: '0', ...more }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode === null && child.signalCode === null
    ? new Promise(resolve => child.once('exit', resolve))
    : Promise.resolve(child.exitCode)

async function withServer<T>(env: NodeJS.ProcessEnv, use: (url: string) => Promise<T>): Promise<T> {
  const child = spawn(process.execPath, [command, 'start'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe']
  })
  let said = ''
  child.stderr.on('data', text => {
    said += String(text)
  })
  try {
    for (const end = Date.now() + waitMs; ; await sleep(100)) {
      const url = /API +(http:\/\/\S+)/.exec(said)?.[1]
      if (url) return await use(url)
      if (child.exitCode !== null || Date.now() > end)
        throw new Error(`the server did not start:\n${said}`)
    }
  } finally {
    child.kill('SIGTERM')
    await ended(child)
  }
}

async function run(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, [command, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', text => {
      said += String(text)
    })
  if ((await ended(child)) !== 0) throw new Error(`rayne ${args.join(' ')} failed:\n${said}`)
  return said
}

/** The first analysis that is done; the server makes one by itself, of the alert its simulator sends. */
async function firstAnalysis(url: string): Promise<Analysis> {
  let problem: unknown
  // A busy server may close an idle connection just as it is used again; the next look opens another.
  const get = <T>(where: string): Promise<T | undefined> =>
    fetch(`${url}${where}`)
      .then(answer => answer.json() as Promise<T>)
      .catch((error: unknown) => {
        problem = error
        return undefined
      })
  for (const end = Date.now() + waitMs; Date.now() < end; await sleep(200)) {
    const done = (await get<{ analyses: Analysis[] }>('/v1/rca?status=done'))?.analyses[0]
    const whole = done && (await get<Analysis>(`/v1/rca/${done.id}`))
    if (whole) return whole
  }
  throw new Error('no analysis was done in time', { cause: problem })
}

const essenceOf = ({ report }: Analysis): Essence => ({
  verdict: report.verdict,
  onset: report.onset.at,
  suspects: report.suspects.map(({ title, at, score }) => ({ title, at, score }))
})

/** Lets one server analyse an incident, records what it read, and lets a second server analyse the recording. */
export async function replayAlert(
  say: (line: string) => void
): Promise<{ before: Essence; after: Essence }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-replay-'))
  const file = path.join(folder, 'world.json')
  const [first, second] = [
    environment(path.join(folder, 'first')),
    environment(path.join(folder, 'second'), { RAYNE_DEMO_WORLD: file })
  ]
  try {
    const original = await withServer(first, async url => {
      const analysis = await firstAnalysis(url)
      say(analysis.report.summary)
      say(
        await run(
          [
            'record',
            file,
            '--account',
            analysis.account,
            '--monitor',
            analysis.alert.monitor_id,
            '--window',
            '1h'
          ],
          first
        )
      )
      return analysis
    })
    const replayed = await withServer(second, firstAnalysis)
    say(replayed.report.summary)
    return { before: essenceOf(original), after: essenceOf(replayed) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

if (import.meta.main) {
  const { before, after } = await replayAlert(line => console.log(line))
  const same = JSON.stringify(before) === JSON.stringify(after)
  console.log(
    same ? 'the same report' : `another report:\n${JSON.stringify({ before, after }, null, 2)}`
  )
  process.exitCode = same ? 0 : 1
}
