import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { leftovers } from '../postgres/leftovers.ts'
import { startEmbedded, type EmbeddedDatabase } from '../postgres/embedded.ts'

const MODULE = new URL('../postgres/embedded.ts', import.meta.url).href

/** An application of its own: starts the cluster, reports it on stdout, stops when its stdin ends. */
const APP = `
  const { startEmbedded } = await import(${JSON.stringify(MODULE)})
  try {
    const { pid, connection, stop } = await startEmbedded({ home: process.env.TEST_HOME, log: () => {} })
    console.log(JSON.stringify({ pid, connection }))
    process.stdin.on('end', () => stop().then(() => process.exit())).resume()
  } catch (error) { console.log(JSON.stringify({ error: error.message })) }`

const cleanups = new WeakMap<TestContext, (() => unknown)[]>()

/** Like t.after, but last in, first out: servers end before their folders are removed. */
export function defer(t: TestContext, cleanup: () => unknown): void {
  const list = cleanups.get(t) ?? []
  if (!cleanups.has(t)) {
    cleanups.set(t, list)
    t.after(async () => {
      for (const next of list.toReversed()) await next()
    })
  }
  list.push(cleanup)
}

/** An application in a process of its own, and what it says once it runs or refuses. */
export interface App {
  readonly child: ChildProcess
  readonly report: Promise<{
    pid: number
    connection: EmbeddedDatabase['connection']
    error?: string
  }>
}

/** Starts such an application, as another user when given. */
export function app(t: TestContext, home: string, uid?: number): App {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', APP], {
    env: { ...process.env, TEST_HOME: home, TMPDIR: join(home, '..', 'tmp') },
    stdio: ['pipe', 'pipe', 'inherit'],
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
  defer(t, async () => {
    child.kill('SIGKILL')
    await gone(() => child.exitCode === null && child.signalCode === null)
  })
  const silent = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the application ended (${signal ?? code}) before it reported`)
  })
  const report = Promise.race([
    silent,
    once(createInterface(child.stdout!), 'line').then(([line]) => JSON.parse(String(line)))
  ])
  report.catch(() => {})
  return { child, report }
}

/** A folder that is removed at the end, when no server runs in it any more. */
export function temporary(t: TestContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'rayne-embedded-')))
  mkdirSync(join(folder, 'tmp'))
  for (const open of [folder, join(folder, 'tmp')]) chmodSync(open, 0o777)
  defer(t, async () => {
    if (process.platform === 'linux')
      for (const data of dataFolders(folder)) await gone(() => leftovers(data).length > 0)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  return folder
}

const dataFolders = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('postgres/data'))
    .map(name => join(folder, name))

/** Waits until something is no longer there. */
export async function gone(there: () => boolean, seconds = 20): Promise<void> {
  for (const until = Date.now() + seconds * 1000; there(); await sleep(20))
    assert.ok(Date.now() < until, 'still there')
}

/** Starts the cluster in this process until the end of the test. */
export async function start(
  t: TestContext,
  home: string,
  lines: string[] = []
): Promise<EmbeddedDatabase> {
  const database = await startEmbedded({ home, log: line => lines.push(line) })
  defer(t, () => database.stop())
  return database
}

/** Runs statements and gives the first value of the last one. */
export async function query(
  connection: EmbeddedDatabase['connection'],
  ...statements: string[]
): Promise<unknown> {
  const client = new Client({ ...connection, ssl: false })
  client.on('error', () => {})
  await client.connect()
  try {
    let value: unknown
    for (const statement of statements)
      value = Object.values((await client.query(statement)).rows[0] ?? {})[0]
    return value
  } finally {
    await client.end()
  }
}
