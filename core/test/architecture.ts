import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { beyondAllowance, measure, type Allowance, type Finding } from './budgets.ts'
import { contractUses } from './contract-uses.ts'
import { casts, exceptions } from './exceptions.ts'
import { refusal } from './import-rules.ts'
import { pluginRooms } from './rooms.ts'
import { areas, filesBelow, readSources, type SourceFile } from './source-files.ts'
import type { Node } from './syntax.ts'

export interface Inspection {
  /** How many files of each area were looked at, tests included; a guard that looks at nothing proves nothing. */
  readonly filesLookedAt: Readonly<Record<(typeof areas)[number], number>>
  /** One sentence each, beginning with the file. */
  readonly violations: readonly string[]
}

/** Checks a tree against the architecture's rules, but for what is allowed by name. */
export function inspect(root: string, allowed: Allowance = { exceptions, casts }): Inspection {
  const files = readSources(root)
  const measures = measure(files)
  const looked = Object.fromEntries(
    areas.map(area => [area, files.filter(file => file.path.startsWith(`${area}/`)).length])
  ) as Inspection['filesLookedAt']
  const violations = [
    ...areas.filter(area => !existsSync(path.join(root, area))).map(area => `${area} is not there`),
    ...(files.length === 0 ? ['looked at 0 files'] : []),
    ...files.flatMap(file =>
      file.syntaxErrors.map(error => `${file.path} cannot be parsed: ${error}`)
    ),
    ...contractUses(files),
    ...beyondAllowance(
      { ...measures, findings: [...files.flatMap(refusedImports), ...measures.findings] },
      allowed
    ),
    ...files.flatMap(names),
    ...files.flatMap(idleTests),
    ...pluginRooms(root, files),
    ...machinePaths(root)
  ]
  return { filesLookedAt: looked, violations }
}

const refusedImports = (file: SourceFile): Finding[] =>
  file.imports.flatMap(one => {
    const reason = refusal(file, one)
    const target = one.target ?? one.specifier
    return reason
      ? [
          {
            path: `${file.path} ${target}`,
            what: 'import' as const,
            number: 1,
            sentence: `${file.path}:${one.line} imports '${target}': ${reason}`
          }
        ]
      : []
  })

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

/**
 * `test.only`, `test.skip`, `test.todo`, and the same as options; a condition that says where a test cannot run is
 * allowed.
 */
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
