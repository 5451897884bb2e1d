import type { Report } from '../contract.ts'
import type { Analysis } from '../store/analyses.ts'

type Said = Readonly<Record<string, unknown>>

/** What of an analysis may differ from another one's, by name on the wire. */
const saidBy = ({ status, report, settings }: Analysis): Said => ({
  status,
  instructions: settings.instructions ?? null,
  asked_model: settings.model ?? null,
  ...ofReport(report),
  ...ofModel(report?.investigation)
})

const ofReport = (report: Report | null): Said => ({
  verdict: report?.verdict ?? null,
  component: report?.component ?? null,
  class: report?.class ?? null,
  remediation: report?.remediation?.class ?? null,
  onset: report?.onset?.at ?? null,
  affected: report?.affected ?? [],
  first_suspect: report?.suspects[0]?.title ?? null
})

function ofModel(investigation: Report['investigation']): Said {
  const first = investigation?.hypotheses[0]
  return {
    model: investigation?.model ?? null,
    model_outcome: investigation?.outcome ?? null,
    model_cause: first?.cause ?? null,
    model_component: first?.component ?? null,
    model_confidence: first?.confidence ?? null,
    model_dropped: investigation?.dropped.length ?? null,
    model_turns: investigation?.turns ?? null,
    model_cost_usd: investigation?.cost_usd ?? null
  }
}
// What an analysis concludes; the rest is how it came to it.
const conclusions = ['verdict', 'component', 'class', 'model_component']

const claimsOf = (report: Report | null): Set<string> =>
  new Set([
    ...(report?.findings ?? []).map(({ text }) => text),
    ...(report?.investigation?.hypotheses ?? []).flatMap(({ claims }) =>
      claims.map(({ text }) => text)
    )
  ])
const askedBy = (report: Report | null): Map<string, string> =>
  new Map(
    (report?.evidence ?? []).map(({ slot, outcome, rows }) => [
      slot,
      `${outcome}, ${rows.length} rows`
    ])
  )

/** Two analyses side by side: fields that differ, claims of both and of one, and what each question found. */
export function compareAnalyses(first: Analysis, second: Analysis) {
  const [one, other] = [saidBy(first), saidBy(second)]
  const differences = Object.fromEntries(
    Object.keys(one).flatMap(name =>
      JSON.stringify(one[name]) === JSON.stringify(other[name])
        ? []
        : [[name, { first: one[name], second: other[name] }]]
    )
  )
  const [claims, others] = [claimsOf(first.report), claimsOf(second.report)]
  const [asked, askedThen] = [askedBy(first.report), askedBy(second.report)]
  return {
    first: first.id,
    second: second.id,
    of_the_same_alert: (first.rerunOf ?? first.id) === (second.rerunOf ?? second.id),
    agree: conclusions.every(name => !(name in differences)),
    differences,
    claims: {
      both: [...claims].filter(text => others.has(text)),
      only_first: [...claims].filter(text => !others.has(text)),
      only_second: [...others].filter(text => !claims.has(text))
    },
    evidence: [...new Set([...asked.keys(), ...askedThen.keys()])].map(slot => ({
      slot,
      first: asked.get(slot) ?? null,
      second: askedThen.get(slot) ?? null
    }))
  }
}
