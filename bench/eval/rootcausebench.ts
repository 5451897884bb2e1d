import type { Command } from 'commander'
import { findCause } from '../../plugins/rca/service/engine/find-cause.ts'
import { print, table, writeJson } from '../figures.ts'
import { readIncidents, type BenchIncident } from './rootcausebench-data.ts'
import { configurationHash, mean, rateOf, showRate } from './score.ts'

const NONE = 'none'
interface Prediction {
  readonly commit: string
  readonly firstFailing: string
  readonly blastRadius: readonly string[]
  readonly remediation: string
  /** Commits by how likely they are the cause. */
  readonly ranking: readonly string[]
  readonly reasons?: readonly string[]
}
type Contestant = (one: BenchIncident) => Prediction

/** The set's words for what the engine calls its remedies. */
const remedies: Readonly<Record<string, string>> = {
  renew_certificate: 'rotate-cert'
}

const ours: Contestant = ({ incident }) => {
  const cause = findCause(incident)
  const commits = cause.changes.filter(({ change }) => change.kind === 'commit')
  const blamed = cause.culprit?.change
  return {
    commit: blamed?.kind === 'commit' ? blamed.id : NONE,
    firstFailing: cause.component,
    blastRadius: cause.blastRadius,
    remediation: remedies[cause.remedy] ?? cause.remedy.replaceAll('_', '-'),
    ranking: commits.map(({ change }) => change.id),
    reasons: [
      `${cause.verdict}: ${cause.operational?.text ?? ''}`,
      ...cause.changes
        .slice(0, 4)
        .map(
          ({ change, score, reasons }) =>
            `${score.toFixed(2)} ${change.message}: ${reasons.join('; ')}`
        ),
      ...cause.operationalCauses
        .slice(0, 2)
        .map(one => `${one.strength.toFixed(2)} ${one.class}: ${one.text}`)
    ]
  }
}

/** A scripted responder: one rule for the commit, the alerting service for the rest. */
const scripted =
  (choose: (one: BenchIncident) => string | undefined): Contestant =>
  one => {
    const commit = choose(one) ?? NONE
    return {
      commit,
      firstFailing: one.incident.alert.service,
      blastRadius: [],
      remediation: 'rollback',
      ranking: commit === NONE ? [] : [commit]
    }
  }
const lastOf = (deploys: BenchIncident['deploys'], until: number): string | undefined =>
  deploys.filter(({ at }) => at <= until).toSorted((a, b) => b.at - a.at)[0]?.commit

const contestants: Readonly<Record<string, Contestant>> = {
  Rayne: ours,
  'latest deploy': scripted(({ deploys, incident }) => lastOf(deploys, incident.alert.at)),
  "alerting service's deploy": scripted(({ deploys, incident }) =>
    lastOf(
      deploys.filter(({ service }) => service === incident.alert.service),
      incident.alert.at
    )
  ),
  'always none': scripted(() => undefined)
}

interface Scored {
  readonly one: BenchIncident
  readonly prediction: Prediction
  readonly isPass: boolean
  readonly isDecoy: boolean
  readonly isInTopThree: boolean
  readonly graded: number
}

function jaccard(a: readonly string[], b: readonly string[]): number {
  const union = new Set([...a, ...b])
  const shared = new Set(a.filter(name => b.includes(name)))
  return union.size === 0 ? 1 : shared.size / union.size
}

/** 1 for the commit; 0 for a decoy; else half of what the rest of the answer earns. */
function scoreOf(one: BenchIncident, prediction: Prediction): Scored {
  const { truth } = one
  const isPass = prediction.commit === truth.root_cause_commit
  const isDecoy = truth.decoy_deploy_commits.includes(prediction.commit)
  const rest =
    0.5 * Number(prediction.firstFailing === truth.first_failing_service) +
    0.3 * jaccard(prediction.blastRadius, truth.blast_radius) +
    0.2 * Number(prediction.remediation === truth.remediation)
  return {
    one,
    prediction,
    isPass,
    isDecoy,
    isInTopThree: prediction.ranking.slice(0, 3).includes(truth.root_cause_commit),
    graded: isPass ? 1 : isDecoy ? 0 : 0.5 * rest
  }
}

/** `npm run eval -- rootcausebench`: which commit, or none, on the incidents of RootCauseBench. */
export function rootcausebenchCommand(program: Command): void {
  program
    .command('rootcausebench')
    .description('find the commit that caused an incident, or none')
    .requiredOption('--data <dir>', 'folder with one folder an incident')
    .option('--json <file>', 'write every prediction here')
    .option('--explain', 'print how each incident was decided')
    .action(({ data, json, explain }: { data: string; json?: string; explain?: boolean }) => {
      const incidents = readIncidents(data)
      if (incidents.length === 0) throw new Error(`no incident was found below ${data}`)
      const results = Object.entries(contestants).map(
        ([contestant, answer]) =>
          [contestant, incidents.map(one => scoreOf(one, answer(one)))] as const
      )
      print(`rootcausebench: ${incidents.length} incidents, configuration ${configurationHash()}`)
      print(
        table(
          ['contestant', 'n', 'passes', 'rate [95 %]', 'graded', 'decoys', 'culprit in top 3'],
          results.map(([contestant, scored]) => {
            const caused = scored.filter(({ one }) => one.truth.root_cause_commit !== NONE)
            return [
              contestant,
              scored.length,
              scored.filter(({ isPass }) => isPass).length,
              showRate(rateOf(scored.map(({ isPass }) => isPass))),
              mean(scored.map(({ graded }) => graded)).toFixed(3),
              scored.filter(({ isDecoy }) => isDecoy).length,
              `${caused.filter(({ isInTopThree }) => isInTopThree).length} of ${caused.length}`
            ]
          })
        )
      )
      if (explain === true)
        for (const { one, prediction, isPass } of results[0]?.[1] ?? [])
          print(
            `\n${isPass ? 'pass' : 'MISS'} ${one.id}\n  ${(prediction.reasons ?? []).join('\n  ')}`
          )
      writeJson(json, {
        track: 'rootcausebench',
        configuration: configurationHash(),
        cases: results.flatMap(([contestant, scored]) =>
          scored.map(({ one, prediction, ...rest }) => ({
            contestant,
            id: one.id,
            truth: one.truth.root_cause_commit,
            ...rest,
            prediction: { ...prediction, ranking: prediction.ranking.slice(0, 10) }
          }))
        )
      })
    })
}
