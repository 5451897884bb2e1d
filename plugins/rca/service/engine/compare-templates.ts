import { mineLogs } from './mine-logs.ts'
import { sum } from './statistics.ts'

/** A log line to compare; `source` is whose calls it belongs to: a service, or one operation of it. */
export interface SourcedLine {
  readonly text: string
  readonly at: number
  readonly source: string
  /** How many lines it stands for, when it was aggregated; 1 if absent. */
  readonly count?: number
}
export interface CompareInput {
  readonly lines: readonly SourcedLine[]
  /** The window and the onset in it, in the unit of the lines' `at`. */
  readonly from: number
  readonly onset: number
  readonly until: number
  /** Calls of a source before and after the onset; without them the rates are per time. */
  readonly calls?: ReadonlyMap<string, { readonly before: number; readonly after: number }>
}
export interface ChangedTemplate {
  readonly source: string
  readonly text: string
  readonly change: 'new' | 'vanished' | 'more' | 'fewer'
  readonly before: number
  readonly after: number
  /** How the rate per call (or per time) changed; Infinity for a new template. */
  readonly ratio: number
  /** G of the likelihood-ratio test against an unchanged rate; the order of the result. */
  readonly strength: number
  readonly firstAt: number
  /** Indices of at most five lines that have it, the first after the onset before those before it. */
  readonly examples: readonly number[]
}

// The 0.1 % point of chi square with one degree of freedom, and the least change of a rate worth a word.
const leastStrength = 10.83
const leastRatio = 2
const maxExamples = 5

/**
 * Which shapes of log lines came, went, or changed their rate at the onset, per call of the
 * operation that writes them: more traffic alone changes nothing here, and a line that stopped is
 * seen as well as one that began. Strongest first, ties by text.
 */
export function compareTemplates({
  lines,
  from,
  onset,
  until,
  calls
}: CompareInput): ChangedTemplate[] {
  const inside = lines.flatMap((line, index) =>
    line.at >= from && line.at < until ? [{ ...line, index }] : []
  )
  const { templates, templateOf } = mineLogs(inside.map(line => line.text))
  const groups = new Map<string, { text: string; source: string; lines: typeof inside }>()
  inside.forEach((line, position) => {
    const template = templateOf[position] ?? 0
    const key = `${template} ${line.source}`
    const group = groups.get(key)
    if (group) group.lines.push(line)
    else
      groups.set(key, { text: templates[template]?.text ?? '', source: line.source, lines: [line] })
  })
  const duration = { before: onset - from, after: until - onset }
  return [...groups.values()]
    .flatMap(group => {
      const change = judge(group, onset, calls?.get(group.source) ?? duration)
      return change ? [change] : []
    })
    .sort(
      (a, b) =>
        b.strength - a.strength ||
        (a.text < b.text ? -1 : a.text > b.text ? 1 : a.source < b.source ? -1 : 1)
    )
}

function judge(
  {
    text,
    source,
    lines
  }: {
    text: string
    source: string
    lines: readonly (SourcedLine & { readonly index: number })[]
  },
  onset: number,
  exposure: { readonly before: number; readonly after: number }
): ChangedTemplate | undefined {
  const early = lines.filter(line => line.at < onset)
  const late = lines.filter(line => line.at >= onset)
  const [before, after] = [early, late].map(part => sum(part.map(line => line.count ?? 1))) as [
    number,
    number
  ]
  const strength = likelihoodRatio([before, after], [exposure.before, exposure.after])
  const ratio = after / exposure.after / (before / exposure.before)
  if (!(strength >= leastStrength) || (ratio < leastRatio && ratio > 1 / leastRatio))
    return undefined
  return {
    source,
    text,
    before,
    after,
    ratio,
    strength,
    change: before === 0 ? 'new' : after === 0 ? 'vanished' : ratio > 1 ? 'more' : 'fewer',
    firstAt: Math.min(...(late.length > 0 ? late : early).map(line => line.at)),
    examples: [...late, ...early].slice(0, maxExamples).map(line => line.index)
  }
}

/** G of counts against rates that are the same per exposure; NaN without any exposure. */
function likelihoodRatio(
  counts: readonly [number, number],
  exposures: readonly [number, number]
): number {
  const total = counts[0] + counts[1]
  const exposure = exposures[0] + exposures[1]
  return (
    2 *
    sum(
      counts.map((count, index) => {
        const expected = (total * (exposures[index] ?? 0)) / exposure
        return count === 0 ? 0 : count * Math.log(count / expected)
      })
    )
  )
}
