import { once } from 'node:events'
import { constants } from 'node:os'
import { asksForJson, firstWord, readCommandLine, type Asked } from './cli/command-line.ts'
import { coreCommands } from './cli/core-commands.ts'
import { noteCommand } from './cli/note-command.ts'
import { misuse, type CommandAnswer, type CommandContext } from './command.ts'
import type { Environment } from './config.ts'
import { errorText, RayneError } from './errors.ts'
import { redact } from './redact.ts'
import { version } from './version.ts'

/** Where a command line reads and writes; tests give their own. */
export interface Terminal {
  readonly environment: Environment
  out(text: string): unknown
  err(text: string): unknown
}
const ownTerminal = (): Terminal => ({
  // A plugin may take names away from the process's own environment.
  environment: { ...process.env },
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text)
})

/** What senders and users wrote moves no cursor, paints nothing and turns no text around on a terminal. */
const inert = (text: string): string =>
  text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, each => (/[\n\t]/.test(each) ? each : '\ufffd'))

/** Runs the command line and answers its exit code: 0, 1 when the command failed, 2 when it was called wrongly. */
export async function main(
  argv: readonly string[],
  signal: AbortSignal,
  terminal: Terminal = ownTerminal()
): Promise<number> {
  const { environment, out, err } = terminal
  const context: CommandContext = {
    say: line => void err(`${redact(inert(line))}\n`),
    sayUnmasked: line => void err(`${line}\n`),
    signal,
    environment
  }
  try {
    const asked = await read(argv, context)
    if ('command' in asked)
      return await obey(asked, context, answer => finish(answer, asked.json, context, out))
    out(asked.text)
    return 0
  } catch (error) {
    if (signal.aborted) return endedBy(signal)
    return refuse(error, asksForJson(argv), context, out)
  }
}

/** The platform's own commands are found without a plugin; for any other word every plugin is asked for its own. */
async function read(argv: readonly string[], { environment, say }: CommandContext): Promise<Asked> {
  const own = coreCommands().list()
  const word = firstWord(argv)
  if (word === '--version' || own.some(({ name }) => name.split(' ')[0] === word))
    return readCommandLine(argv, own, { version, notes: [] })
  const { listCommands } = await import('./cli/list-commands.ts')
  const { commands, notes } = await listCommands(environment)
  try {
    return readCommandLine(argv, [...own, ...commands.list()], { version, notes })
  } catch (error) {
    for (const note of notes) say(note)
    throw error
  }
}

async function obey(
  { command, input }: Extract<Asked, { command: unknown }>,
  context: CommandContext,
  finished: (answer: CommandAnswer) => Promise<number>
): Promise<number> {
  const run = command.prepare(input)
  if (command.standalone(input.options)) return finished(await run(context))
  const { openApp } = await import('./cli/open-app.ts')
  return openApp(context, async app => {
    const registered = app.commands.get(command.name)
    if (!registered) throw misuse(command.name, 'its plugin was left out')
    const answer = await registered.prepare(input)(context)
    if (registered.changes) noteCommand(app, command.name, input.arguments)
    return finished(answer)
  })
}

/** Prints the answer; a command that goes on is closed when the signal comes. */
async function finish(
  { value, lines, failed = false, close }: CommandAnswer,
  json: boolean,
  { say, signal }: CommandContext,
  out: Terminal['out']
): Promise<number> {
  // One line for a program that reads while the command goes on.
  if (json) out(`${JSON.stringify(value, null, close ? 0 : 2)}\n`)
  else if (lines.length > 0) out(`${inert(lines.join('\n'))}\n`)
  if (close) {
    if (!signal.aborted) await once(signal, 'abort')
    say(`${errorText(signal.reason)}: finishing what is under way (again to stop at once)`)
    await close()
  }
  return failed ? 1 : 0
}

/** The exit code of a command that a signal ended, as shells have it. */
const endedBy = (signal: AbortSignal): number =>
  128 + (constants.signals[errorText(signal.reason) as NodeJS.Signals] ?? 0)

/** One sentence for a person; a program that asked for JSON gets it as a document too. */
function refuse(
  error: unknown,
  json: boolean,
  { say }: CommandContext,
  out: Terminal['out']
): number {
  if (!(error instanceof RayneError)) {
    say(`rayne: ${(error instanceof Error && error.stack) || errorText(error)}`)
    return 1
  }
  const { code, details, message } = error
  say(/^rayne[ :]/.test(message) ? message : `rayne: ${message}`)
  if (json) out(`${JSON.stringify({ error: redact(message), code, ...details }, null, 2)}\n`)
  return code === 'invalid-input' ? 2 : 1
}
