import { spawn, type ChildProcess } from 'node:child_process'
import { createRequire } from 'node:module'
import { setPriority } from 'node:os'
import { dirname } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { errorText } from '../../../core/index.ts'
import { readLines, type FromChild, type ToChild } from './messages.ts'

/**
 * How much holds a program that broke out of its interpreter, strongest first: `namespace`: another user, no network,
 * bounded files, and Node's permission model; `permission`: that model alone.
 */
export const levels = ['namespace', 'permission'] as const
export type Level = (typeof levels)[number]

/** One process for programs. It takes one at a time; `ended` is called once, however it ends. */
export interface Child {
  readonly pid: number
  send(message: ToChild): void
  kill(): void
}

interface Listeners {
  onMessage(message: FromChild): void
  onEnd(): void
}

const nobody = 65_534
const maxLineBytes = 2 * 1_048_576
const startMs = 20_000
const heapMb = 64
const childFile = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './child.ts' : './child.js', import.meta.url)
)

/** The folders Node may read: this one and those of the interpreter's packages. */
function readable(): string[] {
  const variant = fileURLToPath(import.meta.resolve('@jitl/quickjs-wasmfile-release-sync'))
  const files = [
    fileURLToPath(import.meta.resolve('quickjs-emscripten-core')),
    variant,
    createRequire(variant).resolve('@jitl/quickjs-ffi-types')
  ]
  const folders = [dirname(childFile), ...files.map(file => dirname(dirname(file)))]
  return folders.map(folder => `--allow-fs-read=${folder}/*`)
}

const permissionFlag = (): string =>
  process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'

/** The words in front of the program that take away its user, its network and its files. */
function prefixes(): readonly (readonly string[])[] {
  if (process.platform !== 'linux') return []
  const limits = ['prlimit', '--nofile=64', '--fsize=0', '--core=0', '--']
  const locks = ['--no-new-privs', '--pdeathsig', 'KILL', '--']
  const asNobody = ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', ...locks]
  const mapped = ['--user', `--map-user=${nobody}`, `--map-group=${nobody}`, '--net', '--']
  const inside = ['unshare', ...mapped, 'setpriv', ...locks, ...limits]
  return process.getuid?.() === 0
    ? [['unshare', '--net', '--', ...asNobody, ...limits], inside]
    : [inside]
}

/** A way to start a child, and the level it gives. */
export interface Way {
  readonly level: Level
  readonly prefix: readonly string[]
}
export const ways = (): Way[] => [
  ...prefixes().map(prefix => ({ level: 'namespace' as const, prefix })),
  { level: 'permission', prefix: [] }
]

/** Starts a child and waits until it says what it is; rejects when it is not what its level promises. */
export async function startChild(
  { level, prefix }: Way,
  { onMessage, onEnd }: Listeners
): Promise<Child> {
  const [command = process.execPath, ...rest] = [
    ...prefix,
    process.execPath,
    permissionFlag(),
    ...readable(),
    '--no-warnings',
    '--max-semi-space-size=1',
    `--max-old-space-size=${heapMb}`,
    childFile
  ]
  const child = spawn(command, rest, { env: {}, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  const channel = child.stdio[3] as Duplex
  const kill = (): void => void child.kill('SIGKILL')
  let complaint = ''
  child.stderr?.on('data', (text: Buffer) => {
    if (complaint.length < 2_000) complaint += text.toString('utf8')
  })
  channel.on('error', kill)
  const facts = await firstMessage(child, channel, () => complaint, onMessage)
  child.once('exit', onEnd)
  if (child.exitCode !== null || child.signalCode !== null) onEnd()
  const kept = level !== 'namespace' || (facts.networks === 0 && facts.uid === nobody)
  if (!kept) {
    kill()
    throw new Error(`a child of user ${facts.uid} sees ${facts.networks} network addresses`)
  }
  lowerPriority(child)
  return {
    pid: child.pid ?? -1,
    kill,
    send: message => void channel.write(`${JSON.stringify(message)}\n`)
  }
}

/** Programs give way to the server: a loop in one of them is nobody's delay. */
function lowerPriority({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) setPriority(pid, 10)
  } catch {
    /* it has ended already, which its listener tells */
  }
}

function firstMessage(
  child: ChildProcess,
  channel: Duplex,
  complaint: () => string,
  onMessage: (message: FromChild) => void
): Promise<Extract<FromChild, { kind: 'ready' }>> {
  return new Promise((resolve, reject) => {
    const refuse = (why: string): void => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      reject(new Error(`${why} ${complaint().trim().slice(0, 300)}`.trim()))
    }
    const timer = setTimeout(() => refuse(`it was not ready within ${startMs / 1000} s`), startMs)
    child.once('error', error => refuse(errorText(error)))
    child.once('exit', code => refuse(`it ended with ${code} before it was ready:`))
    const take = (message: FromChild): void => {
      if (message.kind !== 'ready') return onMessage(message)
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(message)
    }
    const broken = (): void => void child.kill('SIGKILL')
    channel.on('data', readLines<FromChild>(maxLineBytes, take, broken))
  })
}
