import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import pg from 'pg'
import { createApp, type App } from './app.ts'
import { readSettings } from './config.ts'
import type { Connection } from './db/database.ts'
import { startEmbedded, type EmbeddedDatabase } from './db/embedded.ts'
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

const endings = new WeakMap<TestContext, (() => Promise<unknown> | unknown)[]>()
/** Runs after the test, the last registered first: node:test itself runs them in the other order. */
export function atEnd(t: TestContext, run: () => Promise<unknown> | unknown): void {
  const steps = endings.get(t) ?? []
  steps.unshift(run)
  if (endings.has(t)) return
  endings.set(t, steps)
  t.after(async () => {
    for (const step of steps) await step()
  })
}

/** A fresh, empty database on the shared server; a red test leaves its database behind and says where. */
export async function createTestDatabase(
  t: TestContext
): Promise<Connection & { database: string }> {
  const { connection } = await sharedServer()
  const database = `test_${randomBytes(6).toString('hex')}`
  const admin = async (sql: string): Promise<void> => {
    const client = new pg.Client(connection)
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await admin(`create database ${database}`)
  atEnd(t, async () => {
    if ((t as unknown as { passed: boolean }).passed)
      await admin(`drop database ${database} with (force)`)
    else t.diagnostic(`left behind: database ${database} at ${connection.host}`)
  })
  return { ...connection, database }
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
export async function createTestApp(
  t: TestContext,
  options: TestAppOptions = {}
): Promise<
  App & {
    url: string
    drain(): Promise<number>
    call(
      method: string,
      path: string,
      body?: unknown,
      headers?: Record<string, string>
    ): Promise<{ status: number; body: never; headers: Headers }>
  }
> {
  const connection = options.connection ?? (await createTestDatabase(t))
  const environment = {
    PORT: '0',
    RAYNE_ROLE: 'web',
    RAYNE_HOME: path.join(tmpdir(), 'rayne-test-home'),
    ...options.env
  }
  const log = createLogger({
    level: options.onLog ? 'debug' : 'silent',
    ...(options.onLog ? { write: options.onLog } : {})
  })
  const app = await createApp({
    settings: readSettings(environment),
    environment,
    connection,
    plugins: options.plugins ?? [],
    log,
    version: '0.0.0-test',
    validateResponses: true,
    overrides: new Map((options.fakes ?? []).map(([token, fake]) => [token.id, fake]))
  })
  atEnd(t, () => app.close())
  const url = app.url ?? ''
  return {
    ...app,
    url,
    drain: () => app.jobs.drain(),
    async call(method, where, body, headers = {}) {
      const sent =
        body === undefined
          ? {}
          : {
              body:
                typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
            }
      const response = await fetch(`${url}${where}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...sent
      } as RequestInit)
      const text = await response.text()
      return {
        status: response.status,
        headers: response.headers,
        body: (text === '' ? undefined : JSON.parse(text)) as never
      }
    }
  }
}
