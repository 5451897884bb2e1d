import { readFileSync } from 'node:fs'
import path from 'node:path'
import { print, table } from '../figures.ts'
import { root } from './own-process.ts'

interface Node {
  readonly id: number
  readonly callFrame: {
    readonly functionName: string
    readonly url: string
    readonly lineNumber: number
  }
  readonly children?: readonly number[]
}
interface Profile {
  readonly nodes: readonly Node[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

const idle = new Set(['(idle)', '(root)', '(program)'])
// A server that was frozen for a baseline has one sample as long as the pause.
const pauseMicroseconds = 100_000

/**
 * Where the processor was, of the time that was not idle: by package or file, by function, and by what our functions
 * caused.
 */
export function printTopCosts(file: string): void {
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const own = new Map<number, number>()
  samples.forEach((id, index) => {
    const delta = timeDeltas[index] ?? 0
    if (delta < pauseMicroseconds) own.set(id, (own.get(id) ?? 0) + delta)
  })
  const places = new Map<string, number>()
  const functions = new Map<string, number>()
  let busy = 0
  for (const node of nodes) {
    const time = own.get(node.id) ?? 0
    if (time === 0 || idle.has(node.callFrame.functionName)) continue
    busy += time
    add(functions, nameOf(node), time)
    add(places, packageOf(placeOf(node)), time)
  }
  const top = (found: Map<string, number>, n: number): string[][] =>
    [...found]
      .sort((a, b) => b[1] - a[1])
      .slice(0, n)
      .map(([name, time]) => [`${((100 * time) / busy).toFixed(1)} %`, name])
  print(`\nProcessor time in ${path.basename(file)}: ${(busy / 1e6).toFixed(1)} s busy`)
  print(table(['own', 'package or file'], top(places, 20)))
  print(`\n${table(['own', 'function'], top(functions, 30))}`)
  print(`\n${table(['with all it calls', 'function of ours'], top(inclusive(nodes, own), 30))}`)
}

const add = (to: Map<string, number>, name: string, time: number): void => {
  to.set(name, (to.get(name) ?? 0) + time)
}
const nameOf = (node: Node): string =>
  `${node.callFrame.functionName || '(anonymous)'} ${placeOf(node)}:${node.callFrame.lineNumber + 1}`
const isOurs = (node: Node): boolean => /^(core|plugins|tools)\//.test(placeOf(node))

/** Time below each function of ours; recursion counts once. */
function inclusive(nodes: readonly Node[], own: ReadonlyMap<number, number>): Map<string, number> {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const found = new Map<string, number>()
  const visit = (node: Node, above: ReadonlySet<string>): number => {
    const name = nameOf(node)
    const counts = isOurs(node) && !above.has(name)
    const inside = counts ? new Set([...above, name]) : above
    const time = (node.children ?? []).reduce(
      (sum, id) => {
        const child = byId.get(id)
        return child ? sum + visit(child, inside) : sum
      },
      own.get(node.id) ?? 0
    )
    if (counts) add(found, name, time)
    return time
  }
  const start = nodes[0]
  if (start) visit(start, new Set())
  return found
}

function placeOf({ callFrame: { url } }: Node): string {
  if (url === '') return 'native'
  const file = url.replace(/^file:\/\//, '').replace(/\?.*$/, '')
  return file.startsWith('/') ? path.relative(root, file) : file
}

/** `node_modules/pg/lib/x.js` → `pg`; our own files stay files. */
const packageOf = (place: string): string =>
  /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(place)?.[1] ?? place
