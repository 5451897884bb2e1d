import path from 'node:path'
import type { SourceFile } from './source-files.ts'
import type { Node } from './syntax.ts'

const contract = /^plugins\/([^/]+)\/contract\.ts$/

/**
 * Who imports values of another plugin's contract depends on that plugin, and says so: with a token in `needs` or
 * `wants`, or an event in `on`. Types are free, since they are gone when the program runs.
 */
export function contractUses(files: readonly SourceFile[]): string[] {
  const units = Map.groupBy(
    files.filter(file => !file.isTest && unitOf(file.path) !== undefined),
    file => unitOf(file.path) as string
  )
  return [...units].flatMap(([unit, own]) => {
    const declared = new Set(own.flatMap(declaredIn))
    return own.flatMap(file =>
      file.imports.flatMap(one => {
        const owner = one.target === undefined ? undefined : contract.exec(one.target)?.[1]
        if (!owner || one.typeOnly || unit === `plugins/${owner}` || declared.has(owner)) return []
        return [
          `${file.path}:${one.line} imports values of '${one.target}': ` +
            'name one of its tokens in needs or wants, or one of its events in on'
        ]
      })
    )
  })
}

/** What is loaded as one: a plugin, or a tool. */
function unitOf(file: string): string | undefined {
  const [area, id = ''] = file.split('/')
  if (area === 'plugins') return `plugins/${id}`
  return area === 'tools' ? file : undefined
}

/** The plugins whose tokens and events this file names in `needs`, `wants` and `on(…)`. */
function declaredIn(file: SourceFile): string[] {
  const owners = new Map(file.nodes.flatMap(node => namesFromContracts(file.path, node)))
  const named = file.nodes.flatMap(node => [...tokensOf(node), ...eventOf(node)])
  return named.flatMap(name => owners.get(name) ?? [])
}

function namesFromContracts(file: string, node: Node): [string, string][] {
  if (node.type !== 'ImportDeclaration') return []
  const { value } = node['source'] as { value: string }
  const owner = contract.exec(path.posix.join(path.posix.dirname(file), value))?.[1]
  if (!owner) return []
  const specifiers = node['specifiers'] as { local: { name: string } }[]
  return specifiers.map(({ local }) => [local.name, owner])
}

/** The identifiers in `needs: { … }` and `wants: { … }`. */
function tokensOf(node: Node): string[] {
  if (node.type !== 'Property') return []
  const { key, value } = node as Node & { key: { name?: string }; value: Node }
  if (!['needs', 'wants'].includes(key.name ?? '') || value.type !== 'ObjectExpression') return []
  return (value['properties'] as { value?: { name?: string } }[]).flatMap(
    property => property.value?.name ?? []
  )
}

/** The identifier an `….on(Event, …)` begins with. */
function eventOf(node: Node): string[] {
  if (node.type !== 'CallExpression') return []
  const callee = node['callee'] as { property?: { name?: string } }
  const [event] = node['arguments'] as { name?: string }[]
  return callee.property?.name === 'on' && event?.name ? [event.name] : []
}
