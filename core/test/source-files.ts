import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync, visitorKeys, type ParserOptions } from 'oxc-parser'

/** One module another one names: as it is written, and as a path from the root when it is relative. */
export interface Import {
  readonly specifier: string
  readonly target: string | undefined
  readonly typeOnly: boolean
  readonly line: number
}
export interface FunctionSize {
  readonly name: string
  readonly line: number
  readonly ownLines: number
}
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly lines: number
  readonly syntaxErrors: readonly string[]
  readonly imports: readonly Import[]
  readonly functions: readonly FunctionSize[]
  readonly nodes: readonly Node[]
  readonly isTest: boolean
}

export const areas = ['core', 'plugins', 'simulator', 'tools', 'examples', 'bench'] as const
const code = /\.(?:ts|tsx|js|mjs)$/

export const filesBelow = (root: string, folder: string): string[] =>
  !existsSync(path.join(root, folder))
    ? []
    : readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile())
        .map(entry =>
          path.relative(root, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/')
        )
        .filter(file => !file.includes('node_modules/'))
        .sort()

/** Every source file of the five areas, parsed. */
export const readSources = (root: string): SourceFile[] =>
  areas
    .flatMap(area => filesBelow(root, area))
    .filter(file => code.test(file))
    .map(file => readSource(root, file))

function readSource(root: string, file: string): SourceFile {
  const text = readFileSync(path.join(root, file), 'utf8')
  const lang = path.extname(file).slice(1).replace('mjs', 'js') as ParserOptions['lang'] & string
  const parsed = parseSync(file, text, { lang })
  const lineOf = lineFinder(text)
  const nodes = [...walk(parsed.program as unknown as Node)]
  return {
    path: file,
    syntaxErrors: parsed.errors.map(error => error.message),
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    nodes,
    imports: importsOf(file, nodes, lineOf),
    functions: functionsOf(nodes, lineOf),
    isTest: /(?:^|\/)test\//.test(file) || /\.test\.tsx?$/.test(file)
  }
}

function* walk(node: Node): Generator<Node> {
  yield node
  for (const key of visitorKeys[node.type] ?? []) {
    for (const child of [node[key]].flat() as (Node | null | undefined)[])
      if (child) yield* walk(child)
  }
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0, ...[...text.matchAll(/\n/g)].map(match => match.index + 1)]
  return offset => {
    let low = 0
    for (let high = starts.length; high - low > 1;) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle
    }
    return low + 1
  }
}

const literal = (node: unknown): string | undefined => {
  const { type, value, quasis } = (node ?? {}) as {
    type?: string
    value?: unknown
    quasis?: { value: { cooked: string } }[]
  }
  if (type === 'Literal' && typeof value === 'string') return value
  return type === 'TemplateLiteral' && quasis?.length === 1 ? quasis[0]?.value.cooked : undefined
}

const typeOnlyNames = (node: Node): boolean => {
  const names = (node['specifiers'] ?? []) as { importKind?: string; exportKind?: string }[]
  return (
    node['importKind'] === 'type' ||
    node['exportKind'] === 'type' ||
    (names.length > 0 &&
      names.every(name => name.importKind === 'type' || name.exportKind === 'type'))
  )
}

/** Static, dynamic and type imports, re-exports and `require`; what is computed at run time is named `(computed)`. */
function importsOf(
  file: string,
  nodes: readonly Node[],
  lineOf: (offset: number) => number
): Import[] {
  const entry = (node: Node, source: unknown, typeOnly: boolean): Import => {
    const specifier = literal(source) ?? '(computed)'
    return {
      specifier,
      target: specifier.startsWith('.')
        ? path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier))
        : undefined,
      typeOnly,
      line: lineOf(node.start)
    }
  }
  return nodes.flatMap(node => {
    if (
      node.type === 'ImportDeclaration' ||
      ((node.type === 'ExportNamedDeclaration' || node.type === 'ExportAllDeclaration') &&
        node['source'])
    )
      return [entry(node, node['source'], typeOnlyNames(node))]
    if (node.type === 'ImportExpression') return [entry(node, node['source'], false)]
    if (node.type === 'TSImportType') return [entry(node, node['source'] ?? node['argument'], true)]
    if (node.type === 'TSExternalModuleReference') return [entry(node, node['expression'], false)]
    const callee = node['callee'] as { type?: string; name?: string } | undefined
    return node.type === 'CallExpression' &&
      callee?.type === 'Identifier' &&
      callee.name === 'require'
      ? [entry(node, (node['arguments'] as unknown[])[0], false)]
      : []
  })
}

const isFunction = ({ type }: Node): boolean =>
  type === 'FunctionDeclaration' ||
  type === 'FunctionExpression' ||
  type === 'ArrowFunctionExpression'

/** A function's own lines: from its first to its last, without the bodies of the functions inside it, which are counted for themselves. */
function functionsOf(nodes: readonly Node[], lineOf: (offset: number) => number): FunctionSize[] {
  const functions = nodes.filter(isFunction)
  return functions.map(node => {
    const [first, last] = [lineOf(node.start), lineOf(node.end)]
    const inner = new Set<number>()
    for (const other of functions) {
      if (other === node || other.start < node.start || other.end > node.end) continue
      for (let line = lineOf(other.start) + 1; line <= lineOf(other.end); line++) inner.add(line)
    }
    return {
      name: (node['id'] as { name?: string } | null)?.name ?? 'function',
      line: first,
      ownLines: last - first + 1 - inner.size
    }
  })
}
