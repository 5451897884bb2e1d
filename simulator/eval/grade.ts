import type { Truth } from '../scenarios/truth.ts'
import { causeClasses, NOTHING_WRONG, remedyClasses } from '../scenarios/words.ts'
import { evidenceShown } from './evidence.ts'
import type { Verdict } from './verdict.ts'

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
const BLAME = 15

/** Grades a verdict against the truth, 0 to 100; a cited id that was never shown caps it at 40. */
export function grade(verdict: Verdict, truth: Truth, shown: Shown): Grade {
  const marks = [
    componentMark(verdict, truth),
    classMark(verdict, truth),
    triggerMark(verdict, truth),
    onsetMark(verdict, truth),
    evidenceMark(verdict, truth),
    affectedMark(verdict, truth),
    remedyMark(verdict, truth),
    blameMark(verdict, truth)
  ]
  const invented = inventedRows(verdict, shown)
  const sum = Math.max(
    0,
    marks.reduce((total, one) => total + one.points, 0)
  )
  const isCapped = invented.length > 0 && sum > CAP
  return {
    score: isCapped ? CAP : sum,
    marks: invented.length === 0 ? marks : [...marks, inventedMark(invented)],
    capped: isCapped,
    cost: {
      calls: shown.entries.length,
      bytes: shown.entries.reduce((total, one) => total + one.bytes, 0),
      limited: shown.entries.filter(one => one.status === 429).length
    }
  }
}

/** True when the culprit, or another accepted name of it, is named; in a healthy world, that nothing is wrong. */
export const isRight = (verdict: Verdict, truth: Truth): boolean =>
  verdict.component !== null &&
  [truth.component, ...truth.also_accepted].includes(verdict.component)

const isHealthy = (truth: Truth): boolean => truth.component === NOTHING_WRONG

const mark = (name: string, of: number, earned: boolean, why: string): Mark => ({
  name,
  of,
  points: earned ? of : 0,
  why: earned ? '' : why
})

const componentMark = (verdict: Verdict, truth: Truth): Mark =>
  mark(
    'component',
    25,
    isRight(verdict, truth),
    verdict.component === null
      ? 'no component is named'
      : `names ${verdict.component}, it is ${truth.component}`
  )

/** A word outside of a closed list is said to be one: it is a fault of the report, not of its reasoning. */
const said = (word: string, words: readonly string[], what: string): string =>
  words.includes(word) ? `says ${word}` : `says ${word}, which is no ${what}`

const classMark = (verdict: Verdict, truth: Truth): Mark =>
  mark(
    'class',
    20,
    verdict.class === truth.class,
    verdict.class === null
      ? 'the report has no class of cause'
      : `${said(verdict.class, causeClasses, 'class of cause')}, it is ${truth.class}`
  )

/** Where nothing is wrong, nothing set it off: the points are for a report that says so and blames no event. */
function triggerMark(verdict: Verdict, truth: Truth): Mark {
  const { triggers } = verdict
  if (isHealthy(truth))
    return mark(
      'trigger',
      15,
      isRight(verdict, truth) && triggers.length === 0,
      triggers.length === 0 ? 'does not say that nothing is wrong' : 'blames an event'
    )
  // Where no event tells what set it off, none may be named.
  if (truth.trigger.id === undefined)
    return mark(
      'trigger',
      15,
      isRight(verdict, truth) && triggers.length === 0,
      triggers.length === 0 ? 'the component is another' : 'names an event, and none set it off'
    )
  return mark(
    'trigger',
    15,
    triggers.some(id => id === truth.trigger.id || id === truth.trigger.evt_id),
    triggers.length === 0 ? 'no trigger is named' : 'names another event'
  )
}

function onsetMark(verdict: Verdict, truth: Truth): Mark {
  if (isHealthy(truth) && verdict.onset === null)
    return mark('onset', 10, isRight(verdict, truth), 'does not say that nothing is wrong')
  const off = verdict.onset === null ? NaN : Date.parse(verdict.onset) - Date.parse(truth.onset)
  return mark(
    'onset',
    10,
    Math.abs(off) <= ONSET_MS,
    Number.isNaN(off) ? 'no onset is given' : `${Math.round(off / 1000)} s off`
  )
}

function evidenceMark({ cited }: Verdict, truth: Truth): Mark {
  const groups = truth.required_evidence
  const found = evidenceShown(cited, groups)
  return mark(
    'evidence',
    15,
    found >= Math.min(2, groups.length),
    `cites ${found} of ${groups.length} kinds of evidence that are needed, two at least`
  )
}

function affectedMark(verdict: Verdict, truth: Truth): Mark {
  const { affected } = verdict
  const isEarned = isHealthy(truth)
    ? isRight(verdict, truth) && (affected ?? []).length === 0
    : inOrder(affected, truth.affected)
  return mark(
    'blast radius',
    5,
    isEarned,
    affected === null
      ? 'the report has no list of what is affected'
      : `says ${affected.join(', ') || 'nothing'}, it is ${truth.affected.join(', ') || 'nothing'}`
  )
}

/** The affected services, worst first; what is named beyond them must not come before. */
const inOrder = (given: readonly string[] | null, truth: readonly string[]): boolean =>
  given !== null && truth.every((name, i) => given[i] === name)

const remedyMark = (verdict: Verdict, truth: Truth): Mark =>
  mark(
    'remediation',
    5,
    verdict.remediation === truth.remediation.class,
    verdict.remediation === null
      ? 'the report has no class of remedy'
      : `${said(verdict.remediation, remedyClasses, 'class of remedy')}, it is ${truth.remediation.class}`
  )

function blameMark(verdict: Verdict, truth: Truth): Mark {
  const blamed = truth.distractors.filter(
    one =>
      (one.component === verdict.component && !isRight(verdict, truth)) ||
      verdict.triggers.some(id => id === one.id || id === one.evt_id)
  )
  return {
    name: 'distractors',
    points: blamed.length === 0 ? 5 : -BLAME * blamed.length,
    of: 5,
    why: blamed.length === 0 ? '' : `blames ${blamed.map(one => one.component).join(', ')}`
  }
}

const inventedRows = ({ cited }: Verdict, shown: Shown): Verdict['cited'] =>
  cited.filter(row => row.slot === 'unknown' || (row.id !== null && !shown.wasReturned(row.id)))

function inventedMark(rows: Verdict['cited']): Mark {
  const named = rows.slice(0, 3).map(row => row.id ?? row.text)
  return {
    name: 'invented',
    points: 0,
    of: 0,
    why: `cites ${named.join(', ')}, which this run was never shown`
  }
}
