import type { EvidenceRow } from '../contract.ts'
import type { Change } from './engine/incident.ts'
import { textFact } from './read-rows.ts'

const changeSources =
  /^(?:deploy|deployment|change|change_tracking|github|gitlab|jenkins|argocd|launchdarkly|feature_flag|terraform|flux|spinnaker|circleci|chef|puppet|ansible)/i
const orchestrators = /^kube|^ecs|^nomad|^docker/i
/** What somebody did on purpose, in the words of events. */
const changeWords =
  /\bdeploy|\broll(?:ed|ing)?[\s-]?(?:out|back)|\breleased?\b|\bupgrad|\bmigrat|\bflag\b|\bconfig|\bsettings?\b|\bturned (?:on|off)\b|\bswitched\b|\btoggled\b|\benabled\b|\bdisabled\b|\bapplied\b|\bmerged\b|\b(?:re)?scaled\b|\bcreated\b|\bchanged\b|\b(?:raised|lowered|set)\b.{0,40}\b(?:from|to)\b|\bcommit\b/i
const outsiders = /status_?page/i

/**
 * An event that announces something nobody did on purpose: a provider's trouble, a certificate at its end, a node
 * without memory, an import that has ended. It changes nothing.
 */
export function isNotice(row: EvidenceRow): boolean {
  const source = textFact(row, 'source') ?? ''
  if (outsiders.test(source)) return true
  if (changeSources.test(source)) return false
  if (orchestrators.test(source)) return nodeTrouble.test(row.text)
  return !changeWords.test(row.text)
}

/** What an orchestrator says of a machine's own state, which is no doing of its own. */
const nodeTrouble =
  /\bnode\b.{0,60}(?:pressure|not ?ready|unreachable|failed|lost|out of|condition)|(?:memory|disk|pid) ?pressure|notready|spot interruption|preempt/i

/** What kind of change an event tells of, by its source before its words. */
export function changeKind(row: EvidenceRow): Change['kind'] {
  const source = textFact(row, 'source') ?? ''
  const title = textFact(row, 'title') ?? row.text
  if (/flag|launchdarkly/i.test(source) || /\bflag\b/i.test(title)) return 'flag'
  if (/github|gitlab|commit/i.test(source) && !/deploy/i.test(title)) return 'commit'
  if (/config|terraform/i.test(`${source} ${title}`) && !/deploy/i.test(title)) return 'config'
  return 'deploy'
}
