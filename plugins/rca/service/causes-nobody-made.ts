import type { Claim, EvidenceRow } from '../contract.ts'
import type { OperationalCause } from './engine/operational-causes.ts'
import { subjectOfClass, wordsOfClass } from './engine/operational-rules.ts'
import { hostTrouble } from './host-trouble.ts'
import { isNotice } from './notices.ts'
import { exhaustion, lineClaims, newLines, type Known } from './origin-signs.ts'
import { inScope, rowsOf, textFact } from './read-rows.ts'

/** A cause that is nobody's commit, and how plainly the evidence says it, 0 to 1. */
export interface NobodysCause {
  readonly strength: number
  readonly component: string | null
  readonly class: string
  readonly remedy: string
  readonly reasons: readonly Claim[]
  /** Events that announce it or set it off. */
  readonly notices: readonly EvidenceRow[]
}

const minute = 60_000
const strengths = {
  host: 0.95,
  announced: 0.95,
  outsider: 0.75,
  exhausted: 0.6,
  caller: 0.6,
  doubtful: 0.4
}

/** Causes that are nobody's commit, the plainest first: machine, outsider, known kind, what ran out, caller. */
export function causesNobodyMade(known: Known, origin: string | null): NobodysCause[] {
  const lines = newLines(known, origin)
  const causes = [
    ...ofHost(known),
    ...ofOutsider(known, origin, lines),
    ...known.recognised.map(cause => recognisedCause(known, cause, lines)),
    ...ofExhaustion(known, origin, lines),
    ...ofCaller(known, origin)
  ]
  return causes.toSorted((a, b) => b.strength - a.strength)
}

function ofHost(known: Known): NobodysCause[] {
  const found = hostTrouble(known)
  if (!found) return []
  const { host, ...rest } = found
  return [
    {
      ...rest,
      component: host,
      strength: strengths.host,
      notices: noticesFor(known, host, rest.class, [])
    }
  ]
}

const providersOwn =
  /\b5\d\d\b|\b429\b|time[d ]?-?out|did not answer|no answer|unavailable|slow|too many requests|rate.?limit|outage|\d ?ms\b/i
const callersOwn =
  /\b40[0-5]\b|\b422\b|invalid|unauthori[sz]ed|forbidden|signature|not found|malformed|certificate|expired|bad request/i

/** A name outside of the account's services that the origin calls and that its bad lines name. */
function ofOutsider(
  known: Known,
  origin: string | null,
  lines: readonly EvidenceRow[]
): NobodysCause[] {
  const { measured, slots } = known
  const called = measured.calls.filter(([from]) => from === origin).map(([, to]) => to)
  return [...measured.outsiders]
    .filter(name => called.includes(name))
    .map(name => ({
      name,
      said: lines.filter(row => row.text.toLowerCase().includes(name.toLowerCase()))
    }))
    .filter(({ said }) => said.length >= 3 && said.length >= lines.length / 2)
    .toSorted((a, b) => b.said.length - a.said.length)
    .slice(0, 1)
    .map(({ name, said }) => {
      const notices = noticesFor(known, name, 'dependency.external', said)
      const blames = said.filter(
        row => providersOwn.test(row.text) && !callersOwn.test(row.text)
      ).length
      const client = rowsOf(slots, 'metric-requests').filter(
        row =>
          /okhttp|client/.test(textFact(row, 'metric') ?? '') && inScope(row, 'service') === origin
      )
      return {
        strength:
          blames < said.length / 2
            ? strengths.doubtful
            : notices.length > 0
              ? strengths.announced
              : strengths.outsider,
        component: name,
        class: 'dependency.external',
        remedy: 'failover',
        notices,
        reasons: [
          {
            text: [
              `${origin} waits for ${name}, which is no service of this account:`,
              `"${said[0]?.text.slice(0, 120)}"`
            ].join(' '),
            evidence: [...said.slice(0, 3), ...client].map(({ id }) => id)
          }
        ]
      }
    })
}

const stores: Readonly<Record<string, RegExp>> = {
  'dependency.database': /db|sql|postgres|mongo|aurora|cassandra/i,
  'dependency.cache': /redis|cache|memcache|valkey/i,
  'dependency.queue': /kafka|queue|rabbit|sqs|pulsar|nats|broker/i
}

/** Where a recognised cause lies: at whom the bad lines name, where the one that complains is only its caller. */
function placeOf(known: Known, cause: OperationalCause): string {
  const { calls } = known.measured
  const callees = calls.flatMap(([from, to]) => (from === cause.component ? [to] : []))
  const isCallees = /certificate|^dependency\.|^resource\.(?:disk|quota)/.test(cause.class)
  if (!isCallees) return cause.component
  const named = callees.find(name => cause.text.toLowerCase().includes(name.toLowerCase()))
  const ofKind = stores[cause.class]
  return (
    named ??
    (ofKind && callees.find(name => ofKind.test(name))) ??
    failingPeer(known, cause.component) ??
    cause.component
  )
}

/** Whom the failed calls of a service were for, where most of them were for one. */
function failingPeer({ slots, onset }: Known, service: string): string | undefined {
  const failed = rowsOf(slots, 'traces').filter(
    row =>
      textFact(row, 'service') === service &&
      textFact(row, 'status') === 'error' &&
      textFact(row, 'peer') !== undefined &&
      (row.at ?? 0) >= onset.at - minute
  )
  const [most] = [...Map.groupBy(failed, row => textFact(row, 'peer'))].toSorted(
    (a, b) => b[1].length - a[1].length
  )
  return most && most[1].length >= 3 && most[1].length > failed.length / 2 ? most[0] : undefined
}

function recognisedCause(
  known: Known,
  cause: OperationalCause,
  lines: readonly EvidenceRow[]
): NobodysCause {
  const component = placeOf(known, cause)
  return {
    strength: cause.strength,
    component,
    class: cause.class,
    remedy: cause.remedy,
    reasons: [
      { text: cause.text, evidence: [...cause.evidence].slice(0, 8) },
      ...lineClaims(lines)
    ],
    notices: noticesFor(known, component, cause.class, lines)
  }
}

function ofExhaustion(
  known: Known,
  origin: string | null,
  lines: readonly EvidenceRow[]
): NobodysCause[] {
  const exhausted = exhaustion(known, origin, lines)
  if (!exhausted) return []
  const { claim, ...labels } = exhausted
  return [
    {
      strength: strengths.exhausted,
      component: origin,
      ...labels,
      reasons: [claim],
      notices: noticesFor(known, origin ?? '', labels.class, lines)
    }
  ]
}

/** Somebody who began to call the origin when the trouble began, where no change says why. */
const ofCaller = ({ begun }: Known, origin: string | null): NobodysCause[] =>
  [...begun].slice(0, 1).map(([caller, claim]) => ({
    strength: origin === caller ? 0 : strengths.caller,
    component: caller,
    class: 'load.traffic_surge',
    remedy: 'shed_load',
    reasons: [claim],
    notices: []
  }))

/** Words that are names: with a hyphen, a dot, an underscore or a digit in them, and long enough to tell something. */
const namesIn = (text: string): Set<string> =>
  new Set(
    (text.toLowerCase().match(/[a-z][\w.-]*[a-z\d]/g) ?? []).filter(
      word => word.length >= 6 && /[-_.\d]/.test(word)
    )
  )

/**
 * Announcements of the cause: those that name the component or say what the class says, and those shortly before the
 * onset that share a name with the bad lines. What is told as good news, long before, announces nothing.
 */
function noticesFor(
  { slots, onset, measured }: Known,
  component: string,
  kind: string,
  lines: readonly EvidenceRow[]
): EvidenceRow[] {
  const says = wordsOfClass(kind)
  const services = new Set(measured.services.map(({ name }) => name))
  const names = namesIn(
    lines
      .slice(0, 20)
      .map(({ text }) => text)
      .join(' ')
  )
  const points = (row: EvidenceRow): number => {
    const off = (row.at ?? 0) - onset.at
    if (off < -60 * minute || off > 30 * minute) return 0
    const about = [row.text, textFact(row, 'service') ?? '', textFact(row, 'host') ?? '']
      .join(' ')
      .toLowerCase()
    const isNamed = about.includes(component.toLowerCase())
    const isSaid = says?.test(row.text) === true && off >= -15 * minute
    const isBad = !/^(?:info|ok)$/i.test(textFact(row, 'status') ?? '')
    const shared = [...namesIn(row.text)].filter(
      name => names.has(name) && name !== component.toLowerCase() && !services.has(name)
    )
    const isBefore = off <= 2 * minute && off >= -10 * minute
    return (
      (isSaid || (isBefore && subject?.test(row.text) === true) ? 3 : 0) +
      (isNamed && isBad ? 3 : isNamed && isBefore ? 1 : 0) +
      (shared.length > 0 && isBefore ? 2 : 0)
    )
  }
  const subject = subjectOfClass(kind)
  const found = rowsOf(slots, 'changes')
    .filter(row => isNotice(row) || subject?.test(row.text) === true)
    .map(row => ({ row, points: points(row) }))
  const most = Math.max(0, ...found.map(one => one.points))
  return most < 2 ? [] : found.filter(one => one.points === most).map(({ row }) => row)
}
