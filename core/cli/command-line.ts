import { Argument, Command as Program, CommanderError, Option } from 'commander'
import type { TObject, TSchema } from 'typebox'
import { flagOf, misuse, type Command, type CommandInput } from '../command.ts'
import { choicesOf } from '../schema.ts'

/** What was asked: a command with its input, or a text to print. */
export type Asked =
  | { readonly command: Command; readonly input: CommandInput; readonly json: boolean }
  | { readonly text: string }

const isQuestion = (word: string): boolean => /^(-h|--help|--version)$/.test(word)

/** The command's first word; options alone mean `start`, and a question about all of them is itself. */
export const firstWord = (argv: readonly string[]): string =>
  argv.find(word => !word.startsWith('-')) ?? argv.find(isQuestion) ?? 'start'

/** Whether the answer is for a program, also when the rest of the line is wrong. */
export const asksForJson = (argv: readonly string[]): boolean => argv.includes('--json')

/** Finds the command of these words, or throws `invalid-input` with one sentence; `notes` end the list of commands. */
export function readCommandLine(
  argv: readonly string[],
  commands: readonly Command[],
  { version, notes }: { version: string; notes: readonly string[] }
): Asked {
  let text = ''
  let asked: Asked | undefined
  const program = new Program('rayne')
    .version(version, '--version')
    .description(
      'An observability agent platform: an alert comes in, an evidence-based root cause goes out.'
    )
    .enablePositionalOptions()
    .configureOutput({ writeOut: part => (text += part), writeErr: () => {} })
    .addOption(jsonOption().hideHelp())
    .addHelpText('after', ['', ...settingsNote, ...notes].join('\n'))
  refuseAs('', program)
  for (const [parsed, command] of addCommands(program, commands))
    parsed.action(() => {
      asked = { command, input: inputOf(command, parsed), json: asksForJson(argv) }
    })
  const implied = firstWord(argv) === 'start' && !argv.includes('start') ? ['start'] : []
  try {
    program.parse([...implied, ...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return { text }
    throw error
  }
  return asked ?? { text: program.helpInformation() }
}

const settingsNote = [
  'Settings come from the environment (HOST, PORT, RAYNE_HOME, DATABASE_URL, DD_API_KEY, …);',
  'README.md lists them.'
]
const jsonOption = (): Option => new Option('--json', 'print JSON for programs')

/** Puts every command in its place; `jobs retry` stands below `jobs`, which may be a command itself. */
function addCommands(program: Program, commands: readonly Command[]): [Program, Command][] {
  const groups = new Map<string, Program>()
  const groupOf = (word: string): Program => {
    const group = groups.get(word) ?? program.command(word).addOption(jsonOption())
    groups.set(word, group)
    return refuseAs(word, group)
  }
  return commands.map(command => {
    const [first = '', second] = command.name.split(' ')
    const group = groupOf(first)
    if (second === undefined) return [describe(group, command), command]
    if (!commands.some(each => each.name === first)) group.summary(namesBelow(first, commands))
    const parsed = group.command(second).addOption(jsonOption())
    return [describe(refuseAs(command.name, parsed), command), command]
  })
}

const namesBelow = (word: string, commands: readonly Command[]): string =>
  commands
    .filter(each => each.name.startsWith(`${word} `))
    .map(each => each.name.slice(word.length + 1))
    .join(', ')

function describe(parsed: Program, command: Command): Program {
  parsed.summary(command.summary).description(command.description ?? command.summary)
  for (const [name, schema] of Object.entries(command.arguments.properties)) {
    const many = schemaOf(schema).type === 'array' ? '...' : ''
    const mark = isRequired(command.arguments, name) ? `<${name}${many}>` : `[${name}${many}]`
    parsed.addArgument(new Argument(mark, wordsOf(schema, true)))
  }
  for (const [name, schema] of Object.entries(command.options.properties))
    parsed.addOption(optionOf(name, schema, isRequired(command.options, name)))
  return parsed
}

function optionOf(name: string, schema: TSchema, required: boolean): Option {
  const { type, title, default: preset } = schemaOf(schema)
  const words = wordsOf(schema, !required || preset !== undefined)
  if (type === 'boolean')
    return new Option(preset === true ? flagOf(`no_${name}`) : flagOf(name), words)
  const value = title ?? (type === 'integer' || type === 'number' ? 'n' : name)
  return new Option(`${flagOf(name)} <${value}${type === 'array' ? '...' : ''}>`, words)
}

/** What the help says of a value: its description, choices and default. */
function wordsOf(schema: TSchema, optional: boolean): string {
  const { description, default: preset, type } = schemaOf(schema)
  const choices = choicesOf(schema)
  return [
    ...(description === undefined ? [] : [description]),
    ...(choices.length > 0 ? [`(${choices.join(', ')})`] : []),
    ...(preset === undefined || type === 'boolean' ? [] : [`(default ${JSON.stringify(preset)})`]),
    ...(optional ? [] : ['(required)'])
  ].join(' ')
}

const schemaOf = (
  schema: TSchema
): { type?: string; title?: string; description?: string; default?: unknown } => schema
const isRequired = (schema: TObject, name: string): boolean =>
  (schema.required as readonly string[] | undefined)?.includes(name) ?? false

function inputOf(command: Command, parsed: Program): CommandInput {
  const given = parsed.parent?.opts() ?? {}
  const stray = Object.keys(given).find(name => name !== 'json')
  if (stray !== undefined)
    throw misuse(command.name, `--${stray} belongs to 'rayne ${parsed.parent?.name()}'`)
  const present = (entries: readonly (readonly [string, unknown])[]): Record<string, unknown> =>
    Object.fromEntries(entries.filter(([, value]) => value !== undefined))
  const values: Record<string, unknown> = parsed.opts()
  const names = Object.keys(command.arguments.properties)
  return {
    arguments: present(names.map((name, index) => [name, parsed.processedArgs[index]])),
    options: present(
      Object.keys(command.options.properties).map(name => [
        name,
        values[new Option(flagOf(name)).attributeName()]
      ])
    )
  }
}

/** Turns what the parser finds wrong into one sentence that says which command it was. */
function refuseAs(name: string, parsed: Program): Program {
  return parsed.exitOverride(error => {
    if (error.exitCode === 0) throw error
    throw misuse(name, reasonOf(error, parsed))
  })
}

function reasonOf({ code, message }: CommanderError, parsed: Program): string {
  const below = parsed.commands.map(each => each.name()).join(', ')
  if (code === 'commander.help') return `needs one of its commands: ${below}`
  if (code === 'commander.excessArguments' && below !== '')
    return `'${parsed.args[0]}' is not one of its commands: ${below}`
  return message
    .replace(/^error: /, '')
    .replace(/\n\(Did you mean (.*)\?\)$/s, ' (did you mean $1?)')
    .replace(/\.$/, '')
}
