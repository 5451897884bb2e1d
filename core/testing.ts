import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createApp, type App } from './app.ts'
import type { CommandAnswer, CommandInput } from './command.ts'
import { readSettings, type Environment } from './config.ts'
import { withClient } from './db/client.ts'
import type { Connection } from './db/database.ts'
import { startEmbedded, type EmbeddedDatabase } from './postgres/embedded.ts'
import { createLogger } from './log.ts'
import type { Plugin } from './plugin.ts'
import type { Token } from './services.ts'

let shared: Promise<EmbeddedDatabase & { home: string }> | undefined

/** One real PostgreSQL for all tests of this process, ended with it. */
async function sharedServer(): Promise<EmbeddedDatabase> {
  return (shared ??= (async () => {
    const home = mkdtempSync(path.join(tmpdir(), 'rayne-test-'))
    const server = await startEmbedded({ home, log: () => {}, database: 'postgres' })
    return { ...server, home }
  })())
}

/** Stops the shared PostgreSQL; the test runner calls it once, after the last test. */
export async function stopTestServer(): Promise<void> {
  const server = await shared
  await server?.stop()
  if (server) await rm(server.home, { recursive: true, force: true })
}

/** What is used of node:test's context; `passed` is missing in its types. */
export interface Test {
  after(step: () => Promise<unknown> | unknown): void
  diagnostic(message: string): void
  readonly passed?: boolean
}

const endings = new WeakMap<Test, (() => Promise<unknown> | unknown)[]>()
/** Runs after the test, the last registered first: node:test itself runs them in the other order. */
export function atEnd(t: Test, run: () => Promise<unknown> | unknown): void {
  const steps = endings.get(t) ?? []
  steps.unshift(run)
  if (endings.has(t)) return
  endings.set(t, steps)
  t.after(async () => {
    for (const step of steps) await step()
  })
}

/** A fresh, empty database on the shared server; a red test leaves its database behind and says where. */
export async function createTestDatabase(t: Test): Promise<Connection & { database: string }> {
  const { connection } = await sharedServer()
  const database = `test_${randomBytes(6).toString('hex')}`
  // Of the time that tests leave each other, not of the server.
  const admin = (sql: string) => withClient(connection, client => client.query(sql), 30_000)
  await admin(`create database ${database}`)
  atEnd(t, async () => {
    if (t.passed) await admin(`drop database ${database} with (force)`)
    else t.diagnostic(`left behind: database ${database} at ${connection.host}`)
  })
  return { ...connection, database }
}

/** A connection as a DATABASE_URL, for a program of its own. */
export function urlOf(connection: Connection): string {
  if ('connectionString' in connection) return connection.connectionString
  const { host, port, user, password = '', database } = connection
  const login = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`
  return `postgres://${login}@localhost:${port}/${database}?host=${encodeURIComponent(host)}`
}

/** How a command line ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the real command line in a process of its own, with what a program needs of this one's environment. */
export function rayne(
  args: readonly string[],
  { env = {}, cwd = tmpdir(), node = process.execPath }: RayneOptions = {}
): Promise<Ended> {
  const command = fileURLToPath(new URL('./bin.js', import.meta.url))
  const kept = ['PATH', 'HOME', 'TMPDIR'].flatMap(name =>
    process.env[name] === undefined ? [] : [[name, process.env[name]]]
  )
  return new Promise(resolve => {
    const child = execFile(
      node,
      [command, ...args],
      { cwd, env: { ...Object.fromEntries(kept), ...env }, timeout: 110_000 },
      (_, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr })
    )
  })
}
interface RayneOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** The Node to run it on, by path. */
  readonly node?: string
}

export interface TestAppOptions {
  readonly plugins?: readonly Plugin[]
  readonly env?: Readonly<Record<string, string>>
  /** Fakes instead of services, by token. */
  readonly fakes?: readonly (readonly [Token<unknown>, unknown])[]
  readonly connection?: Connection
  readonly onLog?: (line: string) => void
}

/** A real application on a real database and a free loopback port, closed after the test; `drain()` runs due jobs. */
export async function createTestApp(t: Test, options: TestAppOptions = {}) {
  const environment = {
    PORT: '0',
    RAYNE_ROLE: 'web',
    RAYNE_HOME: path.join(tmpdir(), 'rayne-test-home'),
    ...options.env
  }
  const { onLog } = options
  const app = await createApp({
    settings: readSettings(environment),
    environment,
    connection: options.connection ?? (await createTestDatabase(t)),
    plugins: options.plugins ?? [],
    log: createLogger(onLog ? { level: 'debug', write: onLog } : { level: 'silent' }),
    version: '0.0.0-test',
    validateResponses: true,
    overrides: new Map((options.fakes ?? []).map(([token, fake]) => [token.id, fake]))
  })
  atEnd(t, () => app.close())
  // A worker has no address, and whoever calls it gets told so by fetch.
  const url = String(app.url)
  return {
    ...app,
    url,
    drain: (): Promise<number> => app.jobs.drain(),
    call: createCall(url),
    /** Runs a plugin's command in this application, its input checked as the command line does. */
    run: (
      name: string,
      given: Record<string, unknown> = {},
      named: Record<string, unknown> = {}
    ): Promise<CommandAnswer> =>
      runCommand(app, environment, name, { arguments: given, options: named })
  }
}

/** Calls a route of the application; the answer's JSON is taken to be a `T`. */
const createCall =
  (url: string) =>
  async <T = never>(
    method: string,
    where: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ): Promise<{ status: number; body: T; headers: Headers }> => {
    const asIs = typeof body === 'string' || body instanceof Uint8Array
    const response = await fetch(`${url}${where}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: asIs ? Buffer.from(body) : JSON.stringify(body) })
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text)
    }
  }

async function runCommand(
  app: App,
  environment: Environment,
  name: string,
  input: CommandInput
): Promise<CommandAnswer> {
  const command = app.commands.get(name)
  if (!command) throw new Error(`no plugin registered the command '${name}'`)
  const signal = AbortSignal.timeout(120_000)
  return command.prepare(input)({ say() {}, sayUnmasked() {}, signal, environment })
}
