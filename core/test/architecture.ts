import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { refusal } from './import-rules.ts'
import { areas, filesBelow, readSources, type Node, type SourceFile } from './source-files.ts'

export interface Inspection {
  /** How many files of each area were looked at, tests included; a guard that looks at nothing proves nothing. */
  readonly filesLookedAt: Readonly<Record<(typeof areas)[number], number>>
  /** One sentence each, beginning with the file. */
  readonly violations: readonly string[]
}

const budgets = { core: 2_500, file: 250, plugin: 80, tool: 150, function: 40 } as const

const rooms = [
  'plugin.ts',
  'contract.ts',
  'config.ts',
  'routes.ts',
  'routes',
  'jobs.ts',
  'jobs',
  'service.ts',
  'service',
  'store.ts',
  'store',
  'pages.ts',
  'pages.tsx',
  'pages',
  'migrations',
  'test',
  'README.md'
]
/** What a plugin has besides the rooms all have, and why. */
const domainRooms: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  datacat: {
    clients: 'the libraries of applications, which stand alone',
    wire: 'bodies, times and JSON as the wire says them'
  },
  rca: {
    mcp: 'the MCP server',
    model: 'the conversation with the model',
    static: 'files the pages load'
  },
  webhooks: {
    normalise: 'one file per shape a webhook may have',
    'normalise.ts': 'any body to one event',
    'event.ts': 'an event as the wire says it'
  }
}

/** Checks a tree against the architecture's rules. */
export function inspect(root: string): Inspection {
  const files = readSources(root)
  const looked = Object.fromEntries(
    areas.map(area => [area, files.filter(file => file.path.startsWith(`${area}/`)).length])
  ) as Inspection['filesLookedAt']
  const violations = [
    ...areas.filter(area => !existsSync(path.join(root, area))).map(area => `${area} is not there`),
    ...(files.length === 0 ? ['looked at 0 files'] : []),
    ...files.flatMap(file =>
      file.syntaxErrors.map(error => `${file.path} cannot be parsed: ${error}`)
    ),
    ...files.flatMap(imports),
    ...files.flatMap(sizes),
    ...coreSize(files),
    ...files.flatMap(names),
    ...files.flatMap(idleTests),
    ...plugins(root, files),
    ...machinePaths(root)
  ]
  return { filesLookedAt: looked, violations }
}

const imports = (file: SourceFile): string[] =>
  file.imports.flatMap(one => {
    const reason = refusal(file, one)
    return reason
      ? [`${file.path}:${one.line} imports '${one.target ?? one.specifier}': ${reason}`]
      : []
  })

const isProduct = (file: SourceFile): boolean => !file.isTest

function sizes(file: SourceFile): string[] {
  if (!isProduct(file)) return []
  const found: string[] = []
  const over = (limit: number, what: string): void => {
    if (file.lines > limit)
      found.push(`${file.path} has ${file.lines} lines; ${what} has at most ${limit}`)
  }
  over(budgets.file, 'a file')
  if (/^plugins\/[^/]+\/plugin\.ts$/.test(file.path)) over(budgets.plugin, 'a plugin.ts')
  if (file.path.startsWith('tools/')) over(budgets.tool, 'a tool')
  for (const { name, line, ownLines } of file.functions)
    if (ownLines > budgets.function)
      found.push(
        `${file.path}:${line} ${name} has ${ownLines} lines of its own; a function has at most ${budgets.function}`
      )
  return found
}

function coreSize(files: readonly SourceFile[]): string[] {
  const lines = files
    .filter(file => file.path.startsWith('core/') && isProduct(file))
    .reduce((sum, file) => sum + file.lines, 0)
  return lines > budgets.core ? [`core has ${lines} lines; it has at most ${budgets.core}`] : []
}

function names(file: SourceFile): string[] {
  const base = path.posix.basename(file.path).replace(/\.\w+$/, '')
  const wrong = /(?:^|[-_.])(?:utils?|helpers?|common|managers?)(?=$|[-_.])/.test(base)
    ? [`${file.path} is named after nothing: say what is in it`]
    : []
  const untyped =
    /^migrations\/(?!\d{4}_[a-z0-9_]+\.ts$)/.test(file.path.replace(/^plugins\/[^/]+\//, '')) &&
    !/\/(?:index|migrations)\.ts$/.test(file.path)
      ? [`${file.path} is not named 0001_<what>.ts`]
      : []
  return [...wrong, ...untyped]
}

/** `test.only`, `test.skip`, `test.todo`, and the same as options; a condition that says where a test cannot run is allowed. */
function idleTests(file: SourceFile): string[] {
  const testNames = new Set(['test', 'it', 'describe', 'suite', 't'])
  const idle = new Set(['only', 'skip', 'todo'])
  const found = file.nodes
    .filter(node => node.type === 'CallExpression')
    .flatMap(node => {
      const callee = node['callee'] as Node & {
        name?: string
        object?: { name?: string }
        property?: { name?: string }
      }
      const owner = callee.type === 'MemberExpression' ? callee.object?.name : callee.name
      if (!file.isTest || !owner || !testNames.has(owner)) return []
      if (callee.type === 'MemberExpression' && idle.has(callee.property?.name ?? ''))
        return [callee.property?.name]
      const options = (node['arguments'] as Node[])
        .filter(one => one.type === 'ObjectExpression')
        .flatMap(
          one =>
            one['properties'] as {
              key?: { name?: string }
              value?: { type: string; value?: unknown }
            }[]
        )
      return options
        .filter(
          option =>
            idle.has(option.key?.name ?? '') &&
            option.value?.type === 'Literal' &&
            option.value.value !== false
        )
        .map(option => option.key?.name)
    })
  return found.map(what => `${file.path} has a test that is ${what}: run it or delete it`)
}

function plugins(root: string, files: readonly SourceFile[]): string[] {
  const folder = path.join(root, 'plugins')
  const ids = existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true })
        .filter(entry => entry.isDirectory())
        .map(entry => entry.name)
    : []
  return ids.flatMap(id => {
    const main = files.find(file => file.path === `plugins/${id}/plugin.ts`)
    const named = main && idOf(main)
    const strangers = readdirSync(path.join(folder, id)).filter(
      name => !rooms.includes(name) && !domainRooms[id]?.[name]
    )
    return [
      ...(main ? [] : [`plugins/${id} has no plugin.ts`]),
      ...(main && named !== id
        ? [
            `plugins/${id}/plugin.ts says its id is '${named ?? 'unknown'}'; it is the folder's name`
          ]
        : []),
      ...strangers.map(
        name =>
          `plugins/${id}/${name} is no room of a plugin: rename it, or list it in core/test/architecture.ts with a reason`
      )
    ]
  })
}

/** The `id` of the object given to `definePlugin`. */
function idOf(file: SourceFile): string | undefined {
  const call = file.nodes.find(
    node =>
      node.type === 'CallExpression' &&
      (node['callee'] as { name?: string }).name === 'definePlugin'
  )
  const spec = (
    call?.['arguments'] as
      | { properties?: { key?: { name?: string }; value?: { value?: unknown } }[] }[]
      | undefined
  )?.[0]
  const id = spec?.properties?.find(property => property.key?.name === 'id')?.value?.value
  return typeof id === 'string' ? id : undefined
}

const binary = /\.(?:png|ico|jpg|woff2?|gz|wasm)$/
/** Nothing may depend on where it was written: no folder of one machine, no registry but the public one by default. */
function machinePaths(root: string): string[] {
  const others = [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    '.oxlintrc.json',
    'knip.json',
    '.npmrc',
    'README.md',
    'Dockerfile'
  ].filter(file => existsSync(path.join(root, file)))
  return [...areas.flatMap(area => filesBelow(root, area)), ...others]
    .filter(file => !binary.test(file))
    .flatMap(file => {
      const text = readFileSync(path.join(root, file), 'utf8')
      const found =
        /(?<=^|["'`\s=(])\/(?:work|home|root|Users)\/[\w.-]+/.exec(text)?.[0] ??
        /https?:\/\/registry[\w.-]*/.exec(text)?.[0]
      return found === undefined ? [] : [`${file} holds '${found}', which is one machine's`]
    })
}
