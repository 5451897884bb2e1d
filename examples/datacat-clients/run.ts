import { isRight, runFaultTable, tableText } from './faults/table.ts'
import { clientNames, findClient, type ClientName, type ClientScript } from './harness/clients.ts'
import { runScript } from './harness/script.ts'
import { createDatacatServer, type Server } from './harness/server.ts'

const limitMs = 120_000
const say = (line: string): void => console.log(line)

export interface RunOptions {
  readonly limitMs?: number
  readonly signal?: AbortSignal
  readonly say?: (line: string) => void
}

/**
 * Runs the scripts of these clients one after another against one server that is started for them;
 * rejects with the first failure.
 */
export async function runClients(
  scripts: readonly ClientScript[],
  options: RunOptions = {}
): Promise<void> {
  const tell = options.say ?? say
  const server = await createDatacatServer()
  try {
    await server.start()
    for (const script of scripts) {
      tell(`${script.name}: ${[script.command, ...script.args].join(' ')}`)
      const started = performance.now()
      const done = await runScript(script, server, {
        limitMs: options.limitMs ?? limitMs,
        signal: options.signal,
        say: line => tell(`  ${line}`)
      })
      checkSurface(script, done.calls)
      const events = await readBack(server, done.session_id)
      const took = ((performance.now() - started) / 1000).toFixed(1)
      tell(
        `  ${done.calls.length} calls, session ${done.session_id} ` +
          `reads back with ${events} events, ${took} s`
      )
    }
  } finally {
    await server.remove()
  }
}

function checkSurface({ name, surface }: ClientScript, calls: readonly string[]): void {
  if (surface.length === 0)
    throw new Error(`${name}: the public calls of its client were not found`)
  const made = new Set(calls)
  const missing = surface.filter(call => !made.has(call))
  if (missing.length > 0) throw new Error(`${name} never called ${missing.join(', ')}`)
}

/** How many events the session has, as the first version's readers see it. */
async function readBack(server: Server, id: string): Promise<number> {
  const answer = await fetch(`${server.url}/api/sessions/${encodeURIComponent(id)}`)
  if (answer.status !== 200)
    throw new Error(`session ${id} does not read back: ${answer.status} ${await answer.text()}`)
  const session = (await answer.json()) as { id: string; events: unknown[]; metrics: unknown[] }
  if (session.id !== id || session.events.length === 0 || session.metrics.length === 0)
    throw new Error(`session ${id} reads back as ${JSON.stringify(session).slice(0, 300)}`)
  return session.events.length
}

/** The scripts that can be run here; says which cannot. */
function chosenScripts(names: readonly string[]): ClientScript[] {
  const unknown = names.filter(name => !clientNames.includes(name as ClientName))
  if (unknown.length > 0)
    throw new Error(
      `there is no client ${unknown.join(', ')}: choose among ${clientNames.join(', ')}`
    )
  return clientNames
    .filter(name => names.length === 0 || names.includes(name))
    .flatMap(name => {
      const found = findClient(name)
      if (!('missing' in found)) return [found]
      // What was asked for by name must be there.
      if (names.length > 0) throw new Error(`${name}: ${found.missing}`)
      say(`${name}: left out, ${found.missing}`)
      return []
    })
}

/** Prints what thirty faults make of each client's writes; rejects when one is lost, stored twice or held up. */
async function printFaults(names: readonly string[]): Promise<void> {
  const chosen = chosenScripts(names).map(script => script.name)
  const server = await createDatacatServer()
  try {
    await server.start()
    const cells = await runFaultTable(server.url, chosen, say)
    say(tableText(cells))
    const wrong = cells.filter(cell => !isRight(cell)).length
    if (wrong > 0) throw new Error(`${wrong} of ${cells.length} ended wrong`)
    say(
      `${cells.length} of ${cells.length}: sent = stored, nothing twice, nothing lost, nothing blocked`
    )
  } finally {
    await server.remove()
  }
}

if (import.meta.main) {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort())
  try {
    const [first, ...others] = process.argv.slice(2)
    if (first === 'faults') await printFaults(others)
    else {
      await runClients(chosenScripts(process.argv.slice(2)), { signal: interrupted.signal })
      say('every client works')
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
