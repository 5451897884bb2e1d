import type { EvidenceSlot } from '../contract.ts'

/** Error lines of one shape. */
export interface LogGroup {
  readonly shape: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  readonly versions: Readonly<Record<string, number>>
  readonly services: readonly string[]
  readonly evidence: readonly string[]
}

const masks: readonly [RegExp, string][] = [
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<uuid>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<ip>'],
  [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S*/g, '<time>'],
  [/\b0x[0-9a-f]+\b|\b[0-9a-f]{12,}\b/gi, '<hex>'],
  [/\b\d+(?:\.\d+)?(?:ms|s|kb|mb|gb|%)?(?![\w.])/gi, '<n>']
]
const shapeOf = (text: string): string =>
  masks.reduce<string>((line, [mask, name]) => line.replace(mask, name), text).slice(0, 200)

/** Error logs by shape, loudest first; a sample of at most five lines is cited for each. */
export function groupLogs(slots: readonly EvidenceSlot[]): LogGroup[] {
  const groups = new Map<
    string,
    {
      count: number
      firstAt: number
      lastAt: number
      versions: Map<string, number>
      services: Set<string>
      evidence: string[]
    }
  >()
  for (const row of slots.find(slot => slot.slot === 'logs')?.rows ?? []) {
    const shape = shapeOf(row.text)
    const at = row.at ?? 0
    const group = groups.get(shape) ?? {
      count: 0,
      firstAt: at,
      lastAt: at,
      versions: new Map<string, number>(),
      services: new Set<string>(),
      evidence: [] as string[]
    }
    groups.set(shape, group)
    group.count += 1
    group.firstAt = Math.min(group.firstAt, at)
    group.lastAt = Math.max(group.lastAt, at)
    const { version, service } = row.facts
    if (typeof version === 'string')
      group.versions.set(version, (group.versions.get(version) ?? 0) + 1)
    if (typeof service === 'string') group.services.add(service)
    if (group.evidence.length < 5) group.evidence.push(row.id)
  }
  return [...groups]
    .map(([shape, group]) => ({
      shape,
      count: group.count,
      firstAt: group.firstAt,
      lastAt: group.lastAt,
      versions: Object.fromEntries(group.versions),
      services: [...group.services].sort(),
      evidence: group.evidence
    }))
    .sort((a, b) => b.count - a.count || (a.shape < b.shape ? -1 : 1))
}
