import { Type, type Static, type TObject } from 'typebox'
import type { Environment } from './config.ts'
import { bootError, RayneError } from './errors.ts'
import { compile } from './schema.ts'

/** What a command answers: a value for programs (`--json`), and lines for people. */
export interface CommandAnswer {
  readonly value: unknown
  readonly lines: readonly string[]
  /** The answer is a bad one, so the exit code is 1. */
  readonly failed?: boolean
  /** Given by a command that goes on: it runs until a signal, and this ends it. */
  readonly close?: () => Promise<void>
}

/** What a running command knows besides its input. */
export interface CommandContext {
  /** A line for a person on stderr; stdout belongs to the answer. */
  say(line: string): void
  /** The same past the redaction, for what is to be read: a secret that is shown this once. */
  sayUnmasked(line: string): void
  /** Aborts on Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  readonly environment: Environment
}

/** The schema of a command without arguments or options. */
export type NoFields = TObject<Record<never, never>>

/** One command of the command line; the schemas check its input as a route's do, and make its `--help`. */
export interface CommandSpec<A extends TObject = NoFields, O extends TObject = NoFields> {
  /** One word or two, as `record` or `secrets rotate`; a first word belongs to one plugin. */
  readonly name: string
  readonly summary: string
  readonly description?: string
  /** Given by their place, in the order of the properties; the last may be an array. */
  readonly arguments?: A
  /** Given by name: `per_page` is `--per-page`; `--json` and `--help` are there for every command. */
  readonly options?: O
  /** Runs without the application: no database is opened, and the plugin's services do not answer. */
  readonly standalone?: boolean | ((options: Partial<Static<O>>) => boolean)
  /** It changes something that the audit log tells of: its name and arguments are written down when it is done. */
  readonly changes?: true
  run(input: Static<A> & Static<O>, context: CommandContext): Promise<CommandAnswer> | CommandAnswer
}

/** Arguments and options as texts, before they are checked. */
export interface CommandInput {
  readonly arguments: Readonly<Record<string, unknown>>
  readonly options: Readonly<Record<string, unknown>>
}

/** A command whose types have been checked and forgotten, as the command line holds it. */
export interface Command {
  readonly name: string
  readonly summary: string
  readonly description: string | undefined
  readonly arguments: TObject
  readonly options: TObject
  readonly changes: boolean
  standalone(options: CommandInput['options']): boolean
  /** Checks the input, or throws `invalid-input` with one sentence, before anything is opened. */
  prepare(input: CommandInput): (context: CommandContext) => Promise<CommandAnswer>
}

/** A sentence about how a command was called; exit code 2. Without a name it is about the command line itself. */
export function misuse(name: string, reason: string, cause?: unknown): RayneError {
  const called = name === '' ? 'rayne' : `rayne ${name}`
  return new RayneError({
    code: 'invalid-input',
    message: `${called}: ${reason}; \`${called} --help\` shows how it is called`,
    cause
  })
}

export const flagOf = (property: string): string => `--${property.replaceAll('_', '-')}`

/** First words that are the platform's own. */
const coreWords = [
  'audit',
  'start',
  'doctor',
  'migrate',
  'jobs',
  'users',
  'tokens',
  'help'
] as const

/** The commands of one command line or application, by name. */
export function createCommands() {
  const commands = new Map<string, Command>()
  const owners = new Map<string, string>(coreWords.map(word => [word, 'core']))
  function add<A extends TObject = NoFields, O extends TObject = NoFields>(
    owner: string,
    spec: CommandSpec<A, O>
  ): void {
    const command = describe(spec)
    const problem = problemOf(command)
    if (problem) throw bootError(`command '${spec.name}' of '${owner}' ${problem}`)
    const word = spec.name.split(' ')[0] ?? ''
    const other = owners.get(word) ?? owner
    if (other !== owner || commands.has(spec.name))
      throw bootError(
        `command '${spec.name}' of '${owner}' is taken: 'rayne ${word}' belongs to '${other}'`
      )
    owners.set(word, owner)
    commands.set(spec.name, command)
  }
  return {
    add,
    get: (name: string): Command | undefined => commands.get(name),
    list: (): Command[] => [...commands.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}
export type Commands = ReturnType<typeof createCommands>

function describe<A extends TObject, O extends TObject>(spec: CommandSpec<A, O>): Command {
  return {
    name: spec.name,
    summary: spec.summary,
    description: spec.description,
    arguments: spec.arguments ?? Type.Object({}),
    options: spec.options ?? Type.Object({}),
    changes: spec.changes ?? false,
    standalone: options =>
      typeof spec.standalone === 'function'
        ? spec.standalone(options as Partial<Static<O>>)
        : (spec.standalone ?? false),
    prepare(input) {
      const given = checked<A>(spec.name, spec.arguments, 'arguments', input.arguments)
      const named = checked<O>(spec.name, spec.options, 'options', input.options)
      return async context => spec.run({ ...given, ...named }, context)
    }
  }
}

/** Compiled when it is needed: most runs ask one command, and a start asks none. */
function checked<S extends TObject>(
  name: string,
  schema: S | undefined,
  where: 'arguments' | 'options',
  texts: Readonly<Record<string, unknown>>
): Static<S> {
  try {
    return compile(schema ?? (Type.Object({}) as S), 'coerce')(structuredClone(texts), where)
  } catch (error) {
    const field = error instanceof RayneError ? error.details.errors?.[0] : undefined
    const [, , property = ''] = field?.pointer.split('/') ?? []
    if (!field) throw error
    const what = where === 'options' ? flagOf(property) : `<${property}>`
    throw misuse(name, `${what} ${field.message}`, error)
  }
}

function problemOf(command: Command): string | undefined {
  const given = Object.keys(command.arguments.properties)
  const named = Object.keys(command.options.properties)
  const property = [...given, ...named].find(key => !/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(key))
  const twice = named.find(key => given.includes(key) || key === 'json' || key === 'help')
  if (!/^[a-z][a-z0-9-]*( [a-z][a-z0-9-]*)?$/.test(command.name))
    return 'needs a name of one or two words of a-z, 0-9 and -'
  if (command.summary.trim() === '') return 'needs a summary'
  if (property !== undefined) return `has '${property}', which is not snake_case`
  if (twice !== undefined) return `has '${twice}' twice, or takes the platform's own name`
  return undefined
}
