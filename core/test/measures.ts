import { childrenOf, type Node } from './syntax.ts'

export interface FunctionSize {
  readonly name: string
  readonly line: number
  /** Without the functions inside it, which are counted for themselves. */
  readonly ownLines: number
  readonly wholeLines: number
  /** Cyclomatic: one, and one for each place where the flow may part, without the functions inside. */
  readonly complexity: number
}

const maxColumns = 120
type LineOf = (offset: number) => number

const isFunction = ({ type }: Node): boolean =>
  type === 'FunctionDeclaration' ||
  type === 'FunctionExpression' ||
  type === 'ArrowFunctionExpression'

const logicalAssignment = new Set(['&&=', '||=', '??='])
const branches = new Set([
  'IfStatement',
  'ConditionalExpression',
  'LogicalExpression',
  'ForStatement',
  'ForInStatement',
  'ForOfStatement',
  'WhileStatement',
  'DoWhileStatement',
  'AssignmentPattern'
])

/** The places eslint's rule of the same name counts. */
function parts(node: Node): boolean {
  if (branches.has(node.type)) return true
  if (node.type === 'SwitchCase') return node['test'] != null
  if (node.type === 'AssignmentExpression') return logicalAssignment.has(String(node['operator']))
  return (
    (node.type === 'MemberExpression' || node.type === 'CallExpression') &&
    node['optional'] === true
  )
}

/** What a function is called: its own name, or that of what it is given to. */
function nameOf(node: Node, parent: Node | undefined): string {
  const named = (one: unknown): string | undefined => (one as { name?: string } | null)?.name
  const callee = parent?.['callee'] as (Node & { property?: unknown }) | undefined
  const given = named(callee) ?? named(callee?.property)
  return (
    named(node['id']) ??
    named(parent?.['id']) ??
    named(parent?.['key']) ??
    named(parent?.['left']) ??
    (given === undefined ? 'function' : `function given to ${given}`)
  )
}

/** Every function of a file with its sizes. */
export function measureFunctions(program: Node, lineOf: LineOf): FunctionSize[] {
  const found: FunctionSize[] = []
  const visit = (node: Node, parent: Node | undefined, outer: Inside | undefined): void => {
    const inside = isFunction(node) ? { complexity: 1, lines: new Set<number>() } : outer
    if (inside && parts(node)) inside.complexity += 1
    for (const child of childrenOf(node)) visit(child, node, inside)
    if (!inside || inside === outer) return
    const [first, last] = [lineOf(node.start), lineOf(node.end)]
    for (let line = first + 1; line <= last; line++) outer?.lines.add(line)
    found.push({
      name: nameOf(node, parent),
      line: first,
      ownLines: last - first + 1 - inside.lines.size,
      wholeLines: last - first + 1,
      complexity: inside.complexity
    })
  }
  visit(program, undefined, undefined)
  return found.sort((a, b) => a.line - b.line)
}

interface Inside {
  complexity: number
  /** Lines of the functions inside, but for the first of each. */
  readonly lines: Set<number>
}

/** How often a file tells the compiler to believe it. */
export const countCasts = (nodes: readonly Node[]): number => nodes.filter(isCast).length

function isCast(node: Node): boolean {
  const typeOf = (one: unknown): string | undefined => (one as Node | undefined)?.type
  if (node.type === 'TSNonNullExpression' || node.type === 'TSTypeAssertion') return true
  if (node.type !== 'TSAsExpression') return false
  const inner = node['expression'] as Node
  return (
    typeOf(node['typeAnnotation']) === 'TSNeverKeyword' ||
    (inner.type === 'TSAsExpression' && typeOf(inner['typeAnnotation']) === 'TSUnknownKeyword')
  )
}

/**
 * The lines over the columns a line may have. A regular expression cannot be broken; a test's data is shown as it came,
 * so a text of 100 columns and more may stand on one line there, the titles of tests excepted.
 */
export function wideLines(
  text: string,
  nodes: readonly Node[],
  lineOf: LineOf,
  isTest: boolean
): number[] {
  const wide = text
    .split('\n')
    .flatMap((line, index) => (line.length > maxColumns ? [index + 1] : []))
  if (wide.length === 0) return []
  const titles = new Set(nodes.flatMap(titleOf))
  const spared = new Set(
    nodes
      .filter(node => isUnbreakable(node, isTest && !titles.has(node)))
      .map(node => lineOf(node.start))
  )
  return wide.filter(line => !spared.has(line))
}

/** The first argument of `test`, `t.test`, `describe` and the like. */
function titleOf(node: Node): Node[] {
  if (node.type !== 'CallExpression') return []
  const callee = node['callee'] as { name?: string; property?: { name?: string } }
  const named = callee.name ?? callee.property?.name ?? ''
  return /^(?:test|it|describe|suite)$/.test(named) ? (node['arguments'] as Node[]).slice(0, 1) : []
}

function isUnbreakable(node: Node, isData: boolean): boolean {
  if (node.type !== 'Literal') return false
  return (
    node['regex'] != null ||
    (isData && typeof node['value'] === 'string' && node.end - node.start >= 100)
  )
}
