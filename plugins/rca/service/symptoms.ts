import type { EpochMs } from '../../../core/index.ts'
import type { EvidenceRow } from '../contract.ts'

/** Sources that only speak of what somebody or something changed on purpose. */
const changeSources =
  /^(?:deploy|deployment|change|change_tracking|github|gitlab|jenkins|argocd|launchdarkly|feature_flag)$/i

const distress = [
  /\boom[\s_-]?kill|\bout[\s-]of[\s-]memory\b|\bmemory cgroup\b/i,
  /\bre-?start(?:ed|s|ing)?\b|\breboot|\bcrash|\bback-?off\b|\bexited with\b|\bterminated\b/i,
  /\b(?:liveness|readiness|startup) probe\b|\bunhealthy\b|\bfailed health ?check/i,
  /\bevict(?:ed|ion|ing)\b|\bnode(?: is)? ?not ?ready\b|\bfailed ?scheduling\b/i
]
const autoscaling = /\bautoscal|\bHorizontalPodAutoscaler\b|\bhpa\b|\bsuccessful ?rescale\b/i
const scaling = /\b(?:re)?scal(?:e[ds]?|ing)\b/i
const onPurpose =
  /\bdeploy|\broll(?:ed|ing)?[\s-]?(?:out|back)|\breleas|\bupgrad|\bmigrat|\bflag\b|\bconfig/i
const nearMs = 2 * 60_000

/**
 * Whether an event tells what the trouble did instead of what brought it: a container that was killed, a restart, a
 * scaling that answers the load. A scaling well before the onset may be somebody's and stays a change.
 */
export function isSymptom(row: EvidenceRow, onset: { at: EpochMs; precision: number }): boolean {
  const { source, title } = row.facts
  if (typeof source === 'string' && changeSources.test(source)) return false
  const headline = typeof title === 'string' ? title : row.text
  const words = onPurpose.test(headline) ? headline : row.text
  if (autoscaling.test(words) || distress.some(kind => kind.test(words))) return true
  return (
    scaling.test(words) && row.at !== null && row.at >= onset.at - Math.max(nearMs, onset.precision)
  )
}
