import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
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
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootError } from '../errors.ts'
import {
  candidates,
  chooseRunner,
  findNative,
  libraryEnv,
  root,
  spawnOptions,
  windows
} from './programs.ts'

export const superuser = 'rayne'
export const nextStep =
  'set RAYNE_HOME to another folder or DATABASE_URL to a PostgreSQL of your own'

/** `host` is a socket folder, or 127.0.0.1 where the platform has no Unix sockets. */
export interface ServerConnection {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
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

/** A socket's path may have 103 bytes at most (macOS; Linux 107), so a long home gets a short folder elsewhere. */
function socketFolder(folder: string): string {
  const room = 103 - Buffer.byteLength('/.s.PGSQL.5432')
  const short = `rayne-${createHash('sha256').update(folder).digest('hex').slice(0, 16)}`
  const fits = (path: string): boolean => Buffer.byteLength(path) <= room
  const path = [join(folder, 'run'), join(tmpdir(), short)].find(fits) ?? join('/tmp', short)
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
    const [command = program(name), ...rest] = [...runner.prefix, program(name), ...args]
    const out = openSync(logFile, 'a', 0o600) // a file, not a pipe: the server must outlive a reader that is gone
    // detached: Ctrl-C reaches the whole group, and the database must end after the application, not with it
    try {
      return spawn(command, rest, {
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
  // a password even on a private socket: any process of 'nobody' could open it,
  // and peer needs user names containers lack
  const child = run('initdb', [
    '-D',
    staging,
    '-U',
    superuser,
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
      `cannot create the embedded PostgreSQL (initdb: ${status}); ${nextStep}. ${tail(join(folder, 'server.log'))}`
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
