import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { ClientScript } from './clients.ts'
import { killTree } from './processes.ts'
import type { Server } from './server.ts'

/** What a script says of itself in the end. */
export interface Done {
  readonly session_id: string
  readonly calls: readonly string[]
}
interface Line {
  readonly step?: string
  readonly please?: 'stop' | 'start'
  readonly done?: boolean
  readonly session_id?: string
  readonly calls?: readonly string[]
}
export interface ScriptOptions {
  readonly limitMs: number
  readonly signal?: AbortSignal | undefined
  readonly say: (line: string) => void
}

/**
 * Runs one script against the server and does to the server what it asks for; rejects with what the script
 * said when it fails or is late.
 */
export async function runScript(
  script: ClientScript,
  server: Server,
  { limitMs, signal, say }: ScriptOptions
): Promise<Done> {
  const folder = mkdtempSync(path.join(tmpdir(), 'datacat-client-'))
  const child = startScript(script, server, folder)
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const late = signal
    ? AbortSignal.any([signal, AbortSignal.timeout(limitMs)])
    : AbortSignal.timeout(limitMs)
  const end = (): void => {
    if (child.pid !== undefined) void killTree([child.pid])
  }
  late.addEventListener('abort', end, { once: true })
  if (late.aborted) end()
  let complaints = ''
  child.stderr.on('data', text => {
    complaints += String(text)
  })
  child.stdin.on('error', () => {})
  try {
    const done = await listen(child.stdout, server, {
      say,
      answer: line => child.stdin.write(`${line}\n`)
    })
    const [code, killed] = await closed
    const why = signal?.aborted ? 'interrupted' : `not done within ${limitMs / 1000} s`
    if (late.aborted)
      throw new Error(`${script.name} was ${why}${complaints && `:\n${complaints}`}`)
    if (code !== 0) throw new Error(`${script.name} ended with ${code ?? killed}:\n${complaints}`)
    if (!done)
      throw new Error(`${script.name} ended without saying that it is done:\n${complaints}`)
    return done
  } finally {
    late.removeEventListener('abort', end)
    end()
    await closed.catch(() => {})
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

function startScript(script: ClientScript, server: Server, folder: string) {
  // Go wants a place for what it builds even where nobody is at home.
  const goCache =
    process.env['HOME'] || process.env['GOCACHE'] ? {} : { GOCACHE: path.join(folder, 'go-cache') }
  return spawn(script.command, script.args, {
    cwd: script.cwd,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      HOME: process.env['HOME'] ?? folder,
      ...goCache,
      ...script.env,
      DATACAT_URL: server.url,
      DATACAT_OFFLINE: path.join(folder, 'offline')
    }
  })
}

async function listen(
  lines: NodeJS.ReadableStream,
  server: Server,
  { say, answer }: { say: (line: string) => void; answer: (line: string) => void }
): Promise<Done | undefined> {
  let done: Done | undefined
  for await (const text of createInterface({ input: lines })) {
    const line = parseLine(text)
    if (line?.step !== undefined) say(line.step)
    else if (line?.please === 'stop') {
      await server.kill()
      say('(the server is killed)')
      answer('{"server":"stopped"}')
    } else if (line?.please === 'start') {
      await server.start()
      say('(the server is back)')
      answer('{"server":"started"}')
    } else if (line?.done === true)
      done = { session_id: line.session_id ?? '', calls: line.calls ?? [] }
    else say(`? ${text}`)
  }
  return done
}

function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line
  } catch {
    return undefined
  }
}
