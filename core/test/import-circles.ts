import type { SourceFile } from './source-files.ts'

/**
 * Files that reach themselves through what they import, types included; one list a circle, first the name that sorts
 * first.
 */
export function importCircles(files: readonly SourceFile[]): string[][] {
  const known = new Set(files.map(file => file.path))
  const imports = new Map(
    files.map(file => [
      file.path,
      [...new Set(file.imports.flatMap(one => one.target ?? []))].filter(one => known.has(one))
    ])
  )
  // Tarjan: a file belongs to the oldest file it can come back to.
  const order = new Map<string, number>()
  const oldest = new Map<string, number>()
  const path: string[] = []
  const circles: string[][] = []
  const visit = (file: string): number => {
    const own = order.size
    order.set(file, own)
    oldest.set(file, own)
    path.push(file)
    for (const next of imports.get(file) ?? []) {
      const reached = order.has(next)
        ? path.includes(next)
          ? (order.get(next) as number)
          : own
        : visit(next)
      oldest.set(file, Math.min(oldest.get(file) as number, reached))
    }
    const root = oldest.get(file) as number
    if (root !== own) return root
    const circle = path.splice(path.indexOf(file))
    if (circle.length > 1 || imports.get(file)?.includes(file)) circles.push(circle.sort())
    return root
  }
  for (const { path: file } of files) if (!order.has(file)) visit(file)
  return circles.sort((a, b) => String(a[0]).localeCompare(String(b[0])))
}
