import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { started } from './started.ts'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** The first line of JSON a helper prints, and a way to end it. */
export interface Helper<T> {
  readonly said: T
  readonly pid: number
  stop(): Promise<void>
}

/** Starts a TypeScript file as its own process, in its own group, and waits for its first line. */
export async function startHelper<T>(
  file: string,
  args: readonly string[],
  input?: unknown
): Promise<Helper<T>> {
  const child = spawn(process.execPath, [file, ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true
  })
  const exited = once(child, 'exit')
  const stop = started(async () => {
    child.kill('SIGKILL')
    await exited
  })
  if (input !== undefined) child.stdin.write(`${JSON.stringify(input)}\n`)
  const ended = exited.then(([code]) => {
    throw new Error(`${file} ended with ${String(code)} before it said anything`)
  })
  ended.catch(() => {})
  const lines = createInterface(child.stdout)
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
  return { said: JSON.parse(line) as T, pid: child.pid ?? 0, stop }
}

/** Runs a helper to its one line of result. */
export async function runHelper<T>(file: string, input: unknown): Promise<T> {
  const helper = await startHelper<T>(file, [], input)
  await helper.stop()
  return helper.said
}

/** The input a helper was given. */
export async function readInput<T>(): Promise<T> {
  const [line] = (await once(createInterface(process.stdin), 'line')) as [string]
  return JSON.parse(line) as T
}

export const say = (value: unknown): void => {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
