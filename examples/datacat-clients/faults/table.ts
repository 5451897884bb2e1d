import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { clientNames, findClient, type ClientName } from '../harness/clients.ts'
import { faults } from './faults.ts'
import { createProxy, type Proxy } from './proxy.ts'

/** Where what is written waits while the server cannot be reached. */
export type Place = 'memory' | 'disk'
/** One client's way to the server, through one fault. */
export interface Row {
  readonly id: number
  readonly url: string
  readonly session: string
}
/** What a writer is told on its stdin. */
export interface Job {
  readonly place: Place
  readonly folder: string
  readonly items: number
  /** How long a flush may take. */
  readonly seconds: number
  readonly rows: readonly Row[]
}
/** What a writer says of a row; `lost` counts what the client says it lost. */
export interface Told {
  readonly id: number
  readonly longest_ms: number
  readonly flushed: boolean
  readonly stored: number
  readonly lost: number
}
/** How one fault ended for one client: what was sent, what the server has, how often twice. */
export interface Cell {
  readonly client: ClientName
  readonly place: Place
  readonly fault: string
  /** How many requests met the fault. */
  readonly met: number
  readonly sent: number
  readonly stored: number
  readonly twice: number
  readonly inOrder: boolean
  readonly lost: number
  readonly longestMs: number
}

const items = 20
/** How many requests meet the fault where nothing but the client's own patience ends it. */
const times = 3
const limitMs = 90_000
/** A buffered write returns at once; the rest is for a machine that is busy. */
const blockedMs = 1_000

/** How a client's writer is run. */
function writerOf(
  name: ClientName
): { command: string; args: string[]; cwd: string; env: object } | undefined {
  const found = findClient(name)
  if ('missing' in found) return undefined
  const own = (file: string): string => fileURLToPath(new URL(file, import.meta.url))
  const args =
    name === 'ts'
      ? ['--import', 'tsx', own('writer.ts')]
      : name === 'go'
        ? ['run', './faults']
        : [own('writer.py')]
  return { command: found.command, args, cwd: found.cwd, env: found.env }
}

/** Go has no offline queue, as its README says. */
const placesOf = (name: ClientName): readonly Place[] =>
  name === 'go' ? ['memory'] : ['memory', 'disk']

/**
 * Every fault for every client this machine runs, in memory and on disk: in memory the first three requests meet
 * it, on disk a whole process does, and a later one sends what that left.
 */
export async function runFaultTable(
  server: string,
  names: readonly ClientName[] = clientNames,
  say: (line: string) => void = () => {}
): Promise<Cell[]> {
  const proxy = await createProxy(server)
  try {
    const cells: Cell[] = []
    for (const client of names)
      for (const place of writerOf(client) ? placesOf(client) : []) {
        const started = performance.now()
        cells.push(...(await runClient({ server, proxy, client, place })))
        say(`${client}, ${place}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
      }
    return cells
  } finally {
    await proxy.close()
  }
}

interface Run {
  readonly server: string
  readonly proxy: Proxy
  readonly client: ClientName
  readonly place: Place
}

async function runClient({ server, proxy, client, place }: Run): Promise<Cell[]> {
  const folder = mkdtempSync(path.join(tmpdir(), 'datacat-faults-'))
  const ways = await Promise.all(
    Object.keys(faults).map(async (fault, id) => {
      const way = proxy.through(fault, place === 'memory' ? times : Infinity)
      return { fault, way, row: { id, url: way.url, session: await openSession(server) } }
    })
  )
  const rows = ways.map(({ row }) => row)
  const job = { place, folder, items, rows, seconds: place === 'memory' ? 40 : 1 }
  try {
    const told = await write(client, job)
    for (const { way } of ways) way.mend()
    if (place === 'disk') told.push(...(await write(client, { ...job, items: 0, seconds: 40 })))
    return await Promise.all(
      ways.map(async ({ fault, way, row }) => {
        const own = told.filter(one => one.id === row.id)
        const met = way.met()
        return {
          client,
          place,
          fault,
          met,
          ...(await readBack(server, row.session)),
          ...summary(own)
        }
      })
    )
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

const summary = (told: readonly Told[]): Pick<Cell, 'lost' | 'longestMs'> => ({
  lost: told.reduce((sum, one) => sum + one.lost, 0),
  longestMs: Math.max(...told.map(one => one.longest_ms))
})

/** Runs a writer to its end; rejects with what it complained of. */
function write(name: ClientName, job: Job): Promise<Told[]> {
  const writer = writerOf(name)
  if (!writer) throw new Error(`${name} cannot be run here`)
  return new Promise((resolve, reject) => {
    const child = execFile(
      writer.command,
      writer.args,
      { cwd: writer.cwd, env: { ...process.env, ...writer.env }, timeout: limitMs },
      (error, stdout, stderr) => {
        if (error) return reject(new Error(`${name}: ${error.message}\n${stderr.slice(-2_000)}`))
        resolve(
          stdout
            .split('\n')
            .filter(Boolean)
            .map(line => JSON.parse(line) as Told)
        )
      }
    )
    child.stdin?.end(JSON.stringify(job))
  })
}

async function openSession(server: string): Promise<string> {
  const answer = await fetch(`${server}/api/sessions`, { method: 'POST' })
  return ((await answer.json()) as { session_id: string }).session_id
}

async function readBack(
  server: string,
  session: string
): Promise<Pick<Cell, 'sent' | 'stored' | 'twice' | 'inOrder'>> {
  const answer = await fetch(`${server}/v1/datacat/sessions/${session}/events?limit=1000`)
  const { events } = (await answer.json()) as { events: readonly { name: string }[] }
  const names = events.map(event => event.name)
  const stored = new Set(names).size
  const inOrder =
    [...names].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).join() === names.join()
  return { sent: items, stored, twice: names.length - stored, inOrder }
}

/** Whether everything that was sent is stored, once and in order, nothing was lost and nothing blocked. */
export const isRight = (cell: Cell): boolean =>
  cell.met > 0 &&
  cell.sent === cell.stored &&
  cell.twice === 0 &&
  cell.inOrder &&
  cell.lost === 0 &&
  cell.longestMs < blockedMs

/** The table as text: a line a fault, a column a client and a place. */
export function tableText(cells: readonly Cell[]): string {
  const columns = [...new Set(cells.map(cell => `${cell.client} ${cell.place}`))]
  const wordOf = (cell: Cell | undefined): string => {
    if (!cell) return '-'
    const { sent, stored, twice, lost, longestMs } = cell
    const trouble = `${twice ? ` ${twice} twice` : ''}${lost ? ` ${lost} lost` : ''}`
    return `${stored}/${sent}${trouble} ${Math.ceil(longestMs)} ms${isRight(cell) ? '' : ' WRONG'}`
  }
  const lines = Object.keys(faults).map(fault => [
    fault,
    ...columns.map(column =>
      wordOf(cells.find(cell => cell.fault === fault && `${cell.client} ${cell.place}` === column))
    )
  ])
  const head = ['fault (stored/sent, longest call)', ...columns]
  const widths = head.map((_, index) =>
    Math.max(...[head, ...lines].map(line => line[index]?.length ?? 0))
  )
  return [head, ...lines]
    .map(line =>
      line
        .map((word, index) => word.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
