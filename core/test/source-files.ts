import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync, type ParserOptions } from 'oxc-parser'
import { countCasts, measureFunctions, wideLines, type FunctionSize } from './measures.ts'
import { nodesOf, type Node } from './syntax.ts'

/** One module another one names: as it is written, and as a path from the root when it is relative. */
export interface Import {
  readonly specifier: string
  readonly target: string | undefined
  readonly typeOnly: boolean
  readonly line: number
}
export interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string
  readonly lines: number
  readonly syntaxErrors: readonly string[]
  readonly imports: readonly Import[]
  readonly functions: readonly FunctionSize[]
  /** `as never`, `as unknown as`, `!` and `<T>value`. */
  readonly casts: number
  /** The lines over the budget of columns. */
  readonly wide: readonly number[]
  readonly nodes: readonly Node[]
  readonly isTest: boolean
}

export const areas = ['core', 'plugins', 'simulator', 'tools', 'examples', 'bench'] as const
const code = /\.(?:ts|tsx|js|mjs)$/
const prose = /\.(?:py|go|html|css|sh)$/
const isTest = (file: string): boolean => /(?:^|\/)test\//.test(file) || /\.test\.tsx?$/.test(file)

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

const countLines = (text: string): number => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

/** Every source file of the areas, parsed where it is TypeScript or JavaScript; the others have lines only. */
export const readSources = (root: string): SourceFile[] =>
  [...areas.flatMap(area => filesBelow(root, area)), ...filesBelow(root, 'assets/static')].flatMap(
    file =>
      code.test(file) ? [readSource(root, file)] : prose.test(file) ? [readText(root, file)] : []
  )

function readText(root: string, file: string): SourceFile {
  const content = readFileSync(path.join(root, file), 'utf8')
  return {
    path: file,
    lines: countLines(content),
    syntaxErrors: [],
    imports: [],
    functions: [],
    casts: 0,
    wide: wideLines(content, [], () => 1, false),
    nodes: [],
    isTest: isTest(file)
  }
}

function readSource(root: string, file: string): SourceFile {
  const content = readFileSync(path.join(root, file), 'utf8')
  const lang = path.extname(file).slice(1).replace('mjs', 'js') as ParserOptions['lang'] & string
  const parsed = parseSync(file, content, { lang })
  const lineOf = lineFinder(content)
  const program = parsed.program as unknown as Node
  const nodes = nodesOf(program)
  return {
    path: file,
    syntaxErrors: parsed.errors.map(error => error.message),
    lines: countLines(content),
    nodes,
    imports: importsOf(file, nodes, lineOf),
    functions: measureFunctions(program, lineOf),
    casts: countCasts(nodes),
    wide: wideLines(content, nodes, lineOf, isTest(file)),
    isTest: isTest(file)
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
