import type { Investigation } from '../../contract.ts'
import { inertText } from './hostile-text.ts'
import { wordsOf, type Ledger } from './ledger.ts'
import type { Submission } from './submission.ts'

type Hypothesis = Investigation['hypotheses'][number]
type Claim = Hypothesis['claims'][number]
type Dropped = Investigation['dropped'][number]

// One kind of evidence may mislead; more kinds that agree may be believed more, never wholly.
const mostByKinds = [0, 0.5, 0.75, 0.9]
const leastEstablished = 0.5

/**
 * The verdict by code: a claim stays when it cites rows that exist and says no number, time or
 * name with a digit that those rows do not hold; a hypothesis stays when a claim of it does.
 */
export function checkSubmission(
  submission: Submission,
  ledger: Ledger
): Pick<Investigation, 'outcome' | 'hypotheses' | 'ruled_out' | 'next_steps' | 'dropped'> {
  const dropped: Dropped[] = []
  const keep = (claims: readonly Claim[]): Claim[] =>
    claims.flatMap(claim => {
      const why = whyDropped(claim, ledger)
      if (why === undefined) return [{ ...claim, text: inertText(claim.text) }]
      dropped.push({ text: inertText(claim.text), why })
      return []
    })
  const hypotheses = submission.hypotheses
    .flatMap(({ cause, component, confidence, claims }): Hypothesis[] => {
      const kept = keep(claims)
      const held = new Set(kept.flatMap(claim => claim.evidence))
      const unheld = kept.length === 0 ? 'no claim of it holds' : unsaid(cause, [...held], ledger)
      if (unheld !== undefined) {
        dropped.push({ text: inertText(cause), why: unheld })
        return []
      }
      return [
        {
          cause: inertText(cause),
          component: inertText(component),
          confidence: Math.min(confidence, mostFor(kept, ledger)),
          claims: kept
        }
      ]
    })
    .toSorted((a, b) => b.confidence - a.confidence)
  return {
    outcome:
      (hypotheses[0]?.confidence ?? 0) >= leastEstablished ? 'established' : 'not_established',
    hypotheses,
    ruled_out: keep(submission.ruled_out),
    next_steps: submission.next_steps.map(inertText),
    dropped
  }
}

function whyDropped({ text, evidence }: Claim, ledger: Ledger): string | undefined {
  if (evidence.length === 0) return 'cites nothing'
  const unknown = evidence.find(id => ledger.row(id) === undefined)
  if (unknown !== undefined) return `cites '${inertText(unknown)}', which is no row`
  return unsaid(text, evidence, ledger)
}

/** Why these rows do not say what a sentence quotes; undefined when they do. */
function unsaid(text: string, evidence: readonly string[], ledger: Ledger): string | undefined {
  const said = evidence
    .flatMap(id => ledger.row(id) ?? [])
    .map(({ row }) => wordsOf(row))
    .join(' ')
    .toLowerCase()
  const numbers = numbersIn(said)
  const unheld = quotesIn(text).find(quote => !holds(said, numbers, quote))
  return unheld === undefined
    ? undefined
    : `says '${inertText(unheld)}', which the rows cited do not hold`
}

/** Every word of a sentence that has a digit: figures, times, versions, names of machines. */
const quotesIn = (text: string): string[] =>
  [...text.toLowerCase().matchAll(/[\p{L}\p{N}_.:/+-]{0,80}\p{N}[\p{L}\p{N}_.:/+%,-]{0,80}/gu)].map(
    ([word]) => word.replace(/^[.:/+-]{1,80}|(?<![.:,/-])[.:,/-]{1,80}$/g, '')
  )

const figure = /^([+-]?\d[\d,]*(?:\.\d+)?)(?:%|ms|s|m|h|d|x|k|mb|gb|rps|\/s|\/min)?$/

const numbersIn = (text: string): number[] =>
  [...text.matchAll(/\d[\d,]*(?:\.\d+)?/g)].map(([digits]) => Number(digits.replaceAll(',', '')))

/** A figure is held when a row's number rounds to it; any other word must stand there as it is. */
function holds(said: string, numbers: readonly number[], quote: string): boolean {
  if (said.includes(quote)) return true
  const [, digits] = figure.exec(quote) ?? []
  if (digits === undefined) return false
  const plain = digits.replaceAll(',', '')
  const decimals = plain.split('.')[1]?.length ?? 0
  const half = 0.5 * 10 ** -decimals
  const value = Math.abs(Number(plain))
  return numbers.some(number => Math.abs(number - value) <= half)
}

/** The most a hypothesis can be believed, by the kinds of evidence its claims cite. */
function mostFor(claims: readonly Claim[], ledger: Ledger): number {
  const kinds = new Set(
    claims.flatMap(({ evidence }) => evidence.map(id => ledger.row(id)?.slot.title))
  )
  return mostByKinds[Math.min(kinds.size, mostByKinds.length - 1)] ?? 0
}
