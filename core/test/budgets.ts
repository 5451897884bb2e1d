import { importCircles } from './import-circles.ts'
import type { FunctionSize } from './measures.ts'
import type { SourceFile } from './source-files.ts'

/** What may be how large, in lines as the formatter writes them. Raising one is a commit of its own that says why. */
export const budgets = {
  core: 6_400,
  /** The PostgreSQL launcher, which is a program of its own. */
  postgres: 700,
  file: 300,
  plugin: 80,
  tool: 200,
  testFile: 500,
  ownLines: 50,
  wholeLines: 120,
  complexity: 20
} as const

export type Measured =
  | 'lines'
  | 'own lines'
  | 'whole lines'
  | 'complexity'
  | 'wide lines'
  | 'circle'
  | 'twice'
  | 'import'

/** Something over its budget. */
export interface Finding {
  /** A file, a function as `file name`, or a room of the tree. */
  readonly path: string
  readonly what: Measured
  readonly number: number
  /** What is wrong, beginning with the file. */
  readonly sentence: string
}
export type Exception = Omit<Finding, 'sentence'>

/** What is allowed beyond the budgets, and how many casts each part of the tree has. */
export interface Allowance {
  readonly exceptions: readonly Exception[]
  readonly casts: Readonly<Record<string, number>>
}

export interface Measures {
  readonly findings: readonly Finding[]
  readonly casts: Readonly<Record<string, number>>
  readonly core: number
  readonly postgres: number
}

/** Everything the budgets speak of, counted. */
export function measure(files: readonly SourceFile[]): Measures {
  const product = files.filter(file => file.path.startsWith('core/') && !file.isTest)
  const count = (some: readonly SourceFile[]): number =>
    some.reduce((sum, file) => sum + file.lines, 0)
  const postgres = count(product.filter(isLauncher))
  const core = count(product) - postgres
  return {
    core,
    postgres,
    casts: castsByPart(files),
    findings: [
      ...over('core', 'lines', core, budgets.core, 'core'),
      ...over('core/postgres', 'lines', postgres, budgets.postgres, 'the PostgreSQL launcher'),
      ...files.flatMap(fileFindings),
      ...files.flatMap(file => file.functions.flatMap(one => functionFindings(file, one))),
      ...importCircles(files).map(circleFinding),
      ...roomsTwice(files)
    ]
  }
}

const launchers = ['core/postgres/cluster.ts', 'core/postgres/embedded.ts']
const isLauncher = ({ path }: SourceFile): boolean =>
  path.startsWith('core/postgres/') || launchers.includes(path)

function over(
  path: string,
  what: Measured,
  number: number,
  limit: number,
  kind: string,
  where = path
): Finding[] {
  if (number <= limit) return []
  const amount = {
    'own lines': `${number} lines of its own`,
    'whole lines': `${number} lines as a whole`,
    complexity: `a complexity of ${number}`
  }[what as string]
  const sentence = `${where} has ${amount ?? `${number} ${what}`}; ${kind} has at most ${limit}`
  return [{ path, what, number, sentence }]
}

function fileFindings(file: SourceFile): Finding[] {
  const { path, lines, wide, isTest } = file
  const [limit, kind] = isTest
    ? [budgets.testFile, 'a test file']
    : /^plugins\/[^/]+\/plugin\.ts$/.test(path)
      ? [budgets.plugin, 'a plugin.ts']
      : path.startsWith('tools/')
        ? [budgets.tool, 'a tool']
        : [budgets.file, 'a file']
  const places = wide.slice(0, 5).join(', ')
  return [
    ...over(path, 'lines', lines, limit, kind),
    ...(wide.length === 0
      ? []
      : [
          {
            path,
            what: 'wide lines' as const,
            number: wide.length,
            sentence:
              `${path}:${places} ${wide.length === 1 ? 'is' : 'are'} over 120 columns: ` +
              'wrap by hand what the formatter does not'
          }
        ])
  ]
}

/**
 * A suite is a list of tests and a test is read from its top to its end: these have no flow to bound, but for the
 * whole of one test.
 */
const isSuite = ({ name }: FunctionSize): boolean =>
  /^function given to (?:describe|suite)$/.test(name)
const isTestBody = ({ name }: FunctionSize): boolean => /^function given to (?:test|it)$/.test(name)

function functionFindings(file: SourceFile, one: FunctionSize): Finding[] {
  const path = `${file.path} ${one.name}`
  const where = `${file.path}:${one.line} ${one.name}`
  const script = file.isTest && (isSuite(one) || isTestBody(one))
  return [
    ...(script ? [] : over(path, 'own lines', one.ownLines, budgets.ownLines, 'a function', where)),
    ...(file.isTest && isSuite(one)
      ? []
      : over(path, 'whole lines', one.wholeLines, budgets.wholeLines, 'a function', where)),
    ...over(path, 'complexity', one.complexity, budgets.complexity, 'a function', where)
  ]
}

const circleFinding = (circle: readonly string[]): Finding => ({
  path: circle[0] ?? '',
  what: 'circle',
  number: circle.length,
  sentence: `${circle[0]} is in a circle of imports: ${circle.join(', ')}`
})

/** A room is a file or a folder, not both: else nobody knows where a thing is. */
function roomsTwice(files: readonly SourceFile[]): Finding[] {
  return files.flatMap(({ path }) => {
    const room = path.replace(/\.(?:ts|tsx|js|mjs)$/, '')
    return !files.some(other => other.path.startsWith(`${room}/`))
      ? []
      : [
          {
            path: room,
            what: 'twice' as const,
            number: 1,
            sentence: `${path} stands beside the folder ${room}/: a room is a file or a folder, not both`
          }
        ]
  })
}

/** The part of the tree a number of casts is kept for: an area, or a plugin, and its tests apart. */
function partOf({ path, isTest }: SourceFile): string {
  const [area = '', id = ''] = path.split('/')
  return `${area === 'plugins' ? `${area}/${id}` : area}${isTest ? '/test' : ''}`
}

function castsByPart(files: readonly SourceFile[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const file of files) {
    const part = partOf(file)
    if (file.casts > 0) counts[part] = (counts[part] ?? 0) + file.casts
  }
  return counts
}

const list = 'core/test/exceptions.ts'

/**
 * What is over its budget and not excepted, what is excepted and need not be, and casts that are not the number
 * written down.
 */
export function beyondAllowance(measures: Measures, allowed: Allowance): string[] {
  const left = [...allowed.exceptions]
  const take = (finding: Finding, exactly: boolean): Exception | undefined => {
    const index = left.findIndex(
      one =>
        one.path === finding.path &&
        one.what === finding.what &&
        (!exactly || one.number === finding.number)
    )
    return index < 0 ? undefined : left.splice(index, 1)[0]
  }
  const inexact = measures.findings.filter(finding => !take(finding, true))
  const sentences = inexact.flatMap(finding => {
    const exception = take(finding, false)
    if (!exception) return [finding.sentence]
    return finding.number > exception.number
      ? [`${finding.sentence} (${list} allows ${exception.number})`]
      : [
          `${list}: ${finding.path} has only ${finding.number} ${finding.what} now; lower its ${exception.number}`
        ]
  })
  const needless = left.map(
    ({ path, what }) => `${list}: ${path} needs no exception for ${what} any more; delete it`
  )
  return [...sentences, ...needless, ...castsBeyond(measures.casts, allowed.casts)]
}

function castsBeyond(
  found: Readonly<Record<string, number>>,
  allowed: Readonly<Record<string, number>>
): string[] {
  const parts = [...new Set([...Object.keys(found), ...Object.keys(allowed)])].sort()
  return parts.flatMap(part => {
    const [now, limit] = [found[part] ?? 0, allowed[part] ?? 0]
    if (now > limit)
      return [
        `${part} has ${now} casts (as never, as unknown as, !); ${list} allows ${limit}, and the number only falls`
      ]
    return now < limit ? [`${list}: ${part} has only ${now} casts now; lower its ${limit}`] : []
  })
}
