import type { EvidenceRow, EvidenceSlot } from '../contract.ts'

/** Error lines of one shape. */
export interface LogGroup {
  readonly shape: string
  readonly count: number
  /** Every line says that it is an error. */
  readonly isError: boolean
  /** Epoch milliseconds, null when no line says its time. */
  readonly firstAt: number | null
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
/** A line without what differs from one to the next. */
export const shapeOf = (text: string): string =>
  masks.reduce<string>((line, [mask, name]) => line.replace(mask, name), text).slice(0, 200)

const errorStatus = /^(?:error|critical|emergency|alert)$/i

/** Log lines by shape, loudest first; a sample of at most five lines is cited for each. */
export function groupLogs(slots: readonly EvidenceSlot[]): LogGroup[] {
  const byShape = new Map<string, EvidenceRow[]>()
  for (const row of linesOf(slots)) {
    const shape = shapeOf(row.text)
    const rows = byShape.get(shape)
    if (rows) rows.push(row)
    else byShape.set(shape, [row])
  }
  return [...byShape]
    .map(([shape, rows]) => groupOf(shape, rows))
    .sort((a, b) => b.count - a.count || (a.shape < b.shape ? -1 : 1))
}

const linesOf = (slots: readonly EvidenceSlot[]): readonly EvidenceRow[] =>
  slots.find(slot => slot.slot === 'logs')?.rows ?? []

function groupOf(shape: string, rows: readonly EvidenceRow[]): LogGroup {
  const times = rows.flatMap(row => (row.at === null ? [] : [row.at]))
  const versions = new Map<string, number>()
  for (const version of textsOf(rows, 'version'))
    versions.set(version, (versions.get(version) ?? 0) + 1)
  return {
    shape,
    count: rows.length,
    isError: rows.every(row => errorStatus.test(String(row.facts['status'] ?? 'error'))),
    firstAt: times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b)),
    versions: Object.fromEntries(versions),
    services: [...new Set(textsOf(rows, 'service'))].sort(),
    evidence: rows.slice(0, 5).map(row => row.id)
  }
}

const textsOf = (rows: readonly EvidenceRow[], fact: string): string[] =>
  rows.flatMap(({ facts }) => (typeof facts[fact] === 'string' ? [facts[fact]] : []))
