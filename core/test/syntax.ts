import { visitorKeys } from 'oxc-parser'

/** A node of the syntax tree, as the parser gives it. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [key: string]: unknown
}

/** The nodes directly below a node, in the order of the text. */
export function childrenOf(node: Node): Node[] {
  const children: Node[] = []
  for (const key of visitorKeys[node.type] ?? []) {
    const below = node[key] as Node | null | undefined | (Node | null)[]
    if (!Array.isArray(below)) {
      if (below) children.push(below)
    } else for (const one of below) if (one) children.push(one)
  }
  return children
}

/** A node and all below it, in the order of the text. */
export function nodesOf(program: Node): Node[] {
  const found: Node[] = []
  const visit = (node: Node): void => {
    found.push(node)
    for (const child of childrenOf(node)) visit(child)
  }
  visit(program)
  return found
}
