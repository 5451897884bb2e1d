import { parse, type Node, type Program } from 'acorn'
import { stripTypeScriptTypes } from 'node:module'
import { errorText } from '../../../core/index.ts'

/** What a tool's source may name that it does not declare itself. */
const known = new Set(
  [
    'Array ArrayBuffer BigInt Boolean DataView Date Error Infinity JSON Map Math NaN Number Object Promise',
    'RangeError Reflect RegExp Set String Symbol SyntaxError TypeError Uint8Array WeakMap WeakSet',
    'decodeURIComponent encodeURIComponent isFinite isNaN parseFloat parseInt undefined'
  ].flatMap(words => words.split(' '))
)
/** Members that lead to the making of code or to the objects behind others. */
const closed = new Set([
  '__defineGetter__',
  '__defineSetter__',
  '__lookupGetter__',
  '__lookupSetter__',
  '__proto__',
  'callee',
  'caller',
  'constructor',
  'prepareStackTrace'
])
export const maxSourceChars = 20_000

export interface CheckedSource {
  /** JavaScript of the same lines; empty when there are problems. */
  readonly code: string
  readonly problems: readonly string[]
}

/**
 * Whether a source is what a tool may be: TypeScript whose types can be left out, one module without imports whose
 * default export is a function, and no name but the language's own. The sandbox holds what this does not see.
 */
export function checkSource(source: string): CheckedSource {
  if (source.length > maxSourceChars)
    return { code: '', problems: [`it has more than ${maxSourceChars} characters`] }
  let code: string
  let program: Program
  try {
    code = withoutTypes(source)
    program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' })
  } catch (error) {
    return { code: '', problems: [`it is no TypeScript: ${errorText(error).split('\n')[0]}`] }
  }
  const problems = new Set<string>()
  const names = new Map<string, number>()
  const declared = new Set<string>(['arguments'])
  visit({ ...program }, { problems, names, declared })
  for (const [name, at] of names)
    if (!declared.has(name) && !known.has(name))
      problems.add(`line ${lineOf(code, at)}: '${name}' is nothing a tool can use`)
  if (!exportsFunction(program))
    problems.add('it needs `export default async function run(input, { datadog })`')
  return problems.size === 0 ? { code, problems: [] } : { code: '', problems: [...problems] }
}

/** Node warns once that its function is young; nobody who runs the server can do anything about it. */
function withoutTypes(source: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

type Tree = Node & Readonly<Record<string, unknown>>
interface Found {
  readonly problems: Set<string>
  /** Names that are used as a value, and where first. */
  readonly names: Map<string, number>
  readonly declared: Set<string>
}

const refused: Readonly<Record<string, string>> = {
  ImportDeclaration: 'a tool imports nothing: what it needs comes as its second argument',
  ImportExpression: 'a tool imports nothing',
  ExportAllDeclaration: 'a tool imports nothing',
  MetaProperty: '`import.meta` and `new.target` are not for tools',
  WithStatement: '`with` is not for tools',
  DebuggerStatement: '`debugger` is not for tools'
}

function visit(root: Tree, found: Found): void {
  const open: Tree[] = [root]
  for (let node = open.pop(); node; node = open.pop()) {
    const why = refused[node.type]
    if (why !== undefined) found.problems.add(why)
    note(node, found)
    for (const [key, value] of Object.entries(node))
      for (const child of Array.isArray(value) ? value : [value])
        if (isNode(child) && !isPlainName(node, key)) open.push(child)
  }
}

const isNode = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && typeof (value as Tree).type === 'string'

/** A name that is a key and no variable: `a.name`, `{ name: 1 }`, `label:`. */
const isPlainName = (node: Tree, key: string): boolean =>
  (key === 'property' && node.type === 'MemberExpression' && node['computed'] !== true) ||
  (key === 'key' && node['computed'] !== true && node['shorthand'] !== true) ||
  key === 'label' ||
  ((key === 'exported' || key === 'imported') && true)

function note(node: Tree, { problems, names, declared }: Found): void {
  if (node.type === 'Identifier') {
    const name = String(node['name'])
    if (!names.has(name)) names.set(name, node.start)
  }
  if (node.type === 'MemberExpression') {
    const member = memberOf(node)
    if (member !== undefined && closed.has(member))
      problems.add(`'.${member}' is not for tools: nothing they need is behind it`)
  }
  for (const key of ['id', 'params', 'param', 'local'])
    if (
      !node.type.endsWith('Expression') ||
      node.type.includes('Function') ||
      node.type === 'ClassExpression'
    )
      for (const pattern of [node[key]].flat()) bind(pattern, declared)
}

/** The name of a member, when it can be read off: `a.b`, `a['b']`. */
function memberOf(node: Tree): string | undefined {
  const property = node['property'] as Tree
  if (node['computed'] !== true) return String(property['name'] ?? '')
  return property.type === 'Literal' ? String(property['value']) : undefined
}

/** Every name a declaration or a parameter brings. */
function bind(pattern: unknown, declared: Set<string>): void {
  const open = [pattern]
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (!isNode(one)) continue
    if (one.type === 'Identifier') declared.add(String(one['name']))
    if (one.type === 'ObjectPattern') open.push(...(one['properties'] as unknown[]))
    if (one.type === 'ArrayPattern') open.push(...(one['elements'] as unknown[]))
    if (one.type === 'Property') open.push(one['value'])
    if (one.type === 'AssignmentPattern') open.push(one['left'])
    if (one.type === 'RestElement') open.push(one['argument'])
  }
}

const exportsFunction = ({ body }: Program): boolean =>
  body.some(
    node =>
      node.type === 'ExportDefaultDeclaration' &&
      /^(?:ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(
        node.declaration.type
      )
  )

const lineOf = (code: string, at: number): number => code.slice(0, at).split('\n').length
