import type { CitedRow, Verdict } from './verdict.ts'

/** The truth as the control plane tells it. */
export interface Truth {
  readonly component: string
  readonly also_accepted?: readonly string[]
  readonly class: string
  readonly onset: string
  readonly affected: readonly string[]
  readonly trigger: { readonly id?: string; readonly evt_id?: string }
  readonly required_evidence: readonly (readonly Evidence[])[]
  readonly distractors: readonly { readonly component: string; readonly id?: string }[]
  readonly remediation: { readonly class: string }
}
/** One piece of evidence that a good analysis cites. */
export interface Evidence {
  readonly kind: 'event' | 'log' | 'metric' | 'monitor'
  readonly id?: string | number
  readonly query?: string
  readonly name?: string
}
/** What a run was shown: requests with their cost, and whether an id was among the answers. */
export interface Shown {
  readonly entries: readonly { readonly status: number; readonly bytes: number }[]
  wasReturned(id: string): boolean
}

/** Points for one criterion, and why they are missing. */
export interface Mark {
  readonly name: string
  readonly points: number
  readonly of: number
  readonly why: string
}
/** The sum of the marks and what the run cost. */
export interface Grade {
  readonly score: number
  readonly marks: readonly Mark[]
  readonly capped: boolean
  readonly cost: { readonly calls: number; readonly bytes: number; readonly limited: number }
}

const ONSET_MS = 2 * 60_000
const CAP = 40

/** Grades a verdict against the truth, 0 to 100; a cited id that was never shown caps it at 40. */
export function grade(verdict: Verdict, truth: Truth, shown: Shown): Grade {
  const invented = verdict.cited.filter(
    row => row.slot === 'unknown' || (row.id !== null && !shown.wasReturned(row.id))
  )
  const blamed = truth.distractors.filter(
    one =>
      (one.component === verdict.component && !isRight(verdict, truth)) ||
      (one.id !== undefined && verdict.triggers.includes(one.id))
  )
  const marks: Mark[] = [
    mark(
      'component',
      25,
      isRight(verdict, truth),
      verdict.component === null
        ? 'no component is named'
        : `names ${verdict.component}, it is ${truth.component}`
    ),
    mark(
      'class',
      20,
      verdict.class === truth.class,
      verdict.class === null
        ? 'the report has no class of cause'
        : `says ${verdict.class}, it is ${truth.class}`
    ),
    mark(
      'trigger',
      15,
      verdict.triggers.some(id => id === truth.trigger.id || id === truth.trigger.evt_id),
      verdict.triggers.length === 0 ? 'no trigger is named' : 'names another event'
    ),
    onsetMark(verdict, truth),
    evidenceMark(verdict, truth),
    mark(
      'blast radius',
      5,
      inOrder(verdict.affected, truth.affected),
      verdict.affected === null
        ? 'the report has no list of what is affected'
        : `says ${verdict.affected.join(', ')}, it is ${truth.affected.join(', ')}`
    ),
    mark(
      'remediation',
      5,
      verdict.remediation === truth.remediation.class,
      verdict.remediation === null
        ? 'the report has no class of remedy'
        : `says ${verdict.remediation}, it is ${truth.remediation.class}`
    ),
    {
      name: 'distractors',
      points: blamed.length === 0 ? 5 : -15 * blamed.length,
      of: 5,
      why: blamed.length === 0 ? '' : `blames ${blamed.map(one => one.component).join(', ')}`
    }
  ]
  const sum = Math.max(
    0,
    marks.reduce((total, one) => total + one.points, 0)
  )
  const capped = invented.length > 0 && sum > CAP
  const cost = {
    calls: shown.entries.length,
    bytes: shown.entries.reduce((total, one) => total + one.bytes, 0),
    limited: shown.entries.filter(one => one.status === 429).length
  }
  const marked =
    invented.length === 0
      ? marks
      : [
          ...marks,
          {
            name: 'invented',
            points: 0,
            of: 0,
            why: `cites ${invented
              .slice(0, 3)
              .map(row => row.id ?? row.text)
              .join(', ')}, which this run was never shown`
          }
        ]
  return { score: capped ? CAP : sum, marks: marked, capped, cost }
}

/** True when the culprit, or another accepted name of it, is named. */
export const isRight = (verdict: Verdict, truth: Truth): boolean =>
  verdict.component !== null &&
  [truth.component, ...(truth.also_accepted ?? [])].includes(verdict.component)

const mark = (name: string, of: number, earned: boolean, why: string): Mark => ({
  name,
  of,
  points: earned ? of : 0,
  why: earned ? '' : why
})

function onsetMark(verdict: Verdict, truth: Truth): Mark {
  const off = verdict.onset === null ? NaN : Date.parse(verdict.onset) - Date.parse(truth.onset)
  return mark(
    'onset',
    10,
    Math.abs(off) <= ONSET_MS,
    Number.isNaN(off) ? 'no onset is given' : `${Math.round(off / 1000)} s off`
  )
}

function evidenceMark(verdict: Verdict, truth: Truth): Mark {
  const found = truth.required_evidence.filter(group =>
    group.some(one => verdict.cited.some(row => shows(row, one)))
  ).length
  return mark(
    'evidence',
    15,
    found >= 2,
    `cites ${found} of ${truth.required_evidence.length} kinds of evidence that are needed, two at least`
  )
}

/** True when a cited row is the event, a line that the query finds, a series of the metric, or the monitor. */
function shows(row: CitedRow, wanted: Evidence): boolean {
  const text = row.text.toLowerCase()
  switch (wanted.kind) {
    case 'event':
      return row.id !== null && row.id === wanted.id
    case 'monitor':
      return (
        row.slot === 'monitor' &&
        (row.id === String(wanted.id) || row.facts['name'] === wanted.name)
      )
    case 'metric':
      return (
        /:([\w.]+)\{([^}]*)\}/
          .exec(wanted.query ?? '')
          ?.slice(1, 2)
          .every(metric => text.includes(metric)) === true && row.slot.startsWith('metric')
      )
    case 'log': {
      const phrase = /"([^"]+)"/.exec(wanted.query ?? '')?.[1]?.toLowerCase()
      const service = /service:([\w.-]+)/.exec(wanted.query ?? '')?.[1]
      return (
        row.slot.startsWith('log') &&
        phrase !== undefined &&
        text.includes(phrase) &&
        (service === undefined ||
          row.facts['service'] === undefined ||
          row.facts['service'] === service)
      )
    }
  }
}

/** The affected services, worst first; what is named beyond them must not come before. */
const inOrder = (given: readonly string[] | null, truth: readonly string[]): boolean =>
  given !== null && truth.every((name, i) => given[i] === name)

/** The 95 % Wilson score interval of a share. */
export function wilson(right: number, n: number): readonly [number, number] {
  if (n === 0) return [0, 1]
  const z = 1.96
  const share = right / n
  const centre = share + (z * z) / (2 * n)
  const spread = z * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n))
  const scale = 1 + (z * z) / n
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)]
}
