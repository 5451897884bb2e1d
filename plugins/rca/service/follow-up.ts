import { epochMs, type EpochMs } from '../../../core/index.ts'
import type { CallOptions, DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceRow, EvidenceSlot } from '../contract.ts'
import { tracesQuestion } from './ask-traces.ts'
import { switchSlot } from './begun.ts'
import { eventFacts, logFacts } from './describe-rows.ts'
import { diagnose, type Diagnosis } from './diagnose.ts'
import { linesAround } from './lines-around.ts'
import { changeKind, isNotice } from './notices.ts'
import { answer, fromRows, type Question } from './question.ts'
import { rowsOf, textFact } from './read-rows.ts'

const minute = 60_000
const slotMs = 12_000
const dayMs = 24 * 60 * minute
const maxSwitches = 4
// What is said more plainly than this needs no further questions.
const plainStrength = 0.7

/** What the last round of questions is about: what was answered so far, and by whom. */
export interface FollowUpInput {
  readonly account: DatadogAccount
  readonly alert: Alert
  readonly at: EpochMs
  readonly env: string | null
  readonly window: TimeWindow
  readonly slots: readonly EvidenceSlot[]
  readonly signal: AbortSignal
}

/** All answers, and what they say, where that was made out before and nothing was asked since. */
export interface Gathered {
  readonly slots: readonly EvidenceSlot[]
  readonly diagnosis?: Diagnosis
}

/**
 * The last round, only where the answers so far make no cause plain: a cause can be hours old, so the changes of the
 * day before; who calls the service where the trouble begins; and lines that name a switch somebody turned.
 */
export async function followUp(input: FollowUpInput): Promise<Gathered> {
  const { alert, at, slots, window } = input
  const found = diagnose(slots, alert, at)
  if (isSettled(found) || !isAnswered(slots)) return { slots, diagnosis: found }
  const options = { signal: input.signal, timeoutMs: slotMs }
  const [earlier, traces] = await Promise.all([
    answer(earlierQuestion(input, options), dayBefore(window)),
    tracesOfOrigin(input, found, options)
  ])
  const changes = withEarlier(slots, earlier)
  const switches = switchesIn(rowsOf(changes, 'changes'))
  const lines = await Promise.all(
    switches.map((one, index) =>
      answer(switchQuestion(input, one, { index, onset: found.onset.at, options }), window)
    )
  )
  return { slots: [...changes, ...traces, ...lines.filter(({ rows }) => rows.length > 0)] }
}

const isSettled = ({ conclusion, measured, service }: Diagnosis): boolean =>
  service === null ||
  measured.services.length === 0 ||
  conclusion.verdict === 'nothing_wrong' ||
  conclusion.strength >= plainStrength

/** Datadog that is away is not asked more. */
const isAnswered = (slots: readonly EvidenceSlot[]): boolean =>
  slots.some(
    ({ slot, outcome }) => slot === 'changes' && (outcome === 'rows' || outcome === 'empty')
  )

const dayBefore = ({ from, to }: TimeWindow): TimeWindow => ({
  from: epochMs(to - dayMs),
  to: from
})

const earlierQuestion = ({ account, window }: FollowUpInput, options: CallOptions): Question => {
  const query =
    '(source:(deploy OR deployment OR change OR change_tracking OR github OR gitlab OR jenkins ' +
    'OR argocd OR launchdarkly OR feature_flag OR terraform) OR tags:deployment OR "flag" OR "config")'
  return {
    slot: 'changes',
    title: 'Changes of the day before',
    asked: query,
    ask: async () =>
      fromRows(
        await account.events({ query, window: dayBefore(window), limit: 100 }, options),
        rows => rows.map(eventFacts)
      )
  }
}

/** The changes of the hour with those of the day before, as one answer over the wider window. */
function withEarlier(slots: readonly EvidenceSlot[], earlier: EvidenceSlot): EvidenceSlot[] {
  return slots.map(slot => {
    if (slot.slot !== 'changes') return slot
    if (earlier.outcome === 'error' || earlier.outcome === 'forbidden')
      return {
        ...slot,
        note: [slot.note, `the day before is missing: ${earlier.note}`].filter(Boolean).join('; ')
      }
    const known = new Set(slot.rows.map(row => row.facts['event_id']))
    const added = earlier.rows.filter(row => !known.has(row.facts['event_id']))
    const rows = [...slot.rows, ...added].map((row, index) => ({
      ...row,
      id: `changes#${index + 1}`
    }))
    return {
      ...slot,
      rows,
      outcome: rows.length === 0 ? slot.outcome : slot.outcome === 'empty' ? 'rows' : slot.outcome,
      window: { ...slot.window, from: earlier.window.from },
      asked: `${slot.asked}; before the hour: ${earlier.asked}`
    }
  })
}

async function tracesOfOrigin(
  { account, env, window }: FollowUpInput,
  { measured, service, onset }: Diagnosis,
  options: CallOptions
): Promise<EvidenceSlot[]> {
  const origin = measured.origin?.name
  if (origin === undefined || origin === service) return []
  const subject = { account, service: origin, env, window, onset: onset.at, options }
  return [await answer(tracesQuestion(subject, 'traces-origin'), window)]
}

/** Something somebody turned, by the name its lines may carry. */
interface Switch {
  readonly service: string
  readonly key: string
}

/** The flags and settings among changes whose title has a name with a service, newest first. */
function switchesIn(rows: readonly EvidenceRow[]): Switch[] {
  const found = rows
    .filter(row => !isNotice(row) && ['flag', 'config'].includes(changeKind(row)))
    .toSorted((a, b) => (b.at ?? 0) - (a.at ?? 0))
    .flatMap(row => {
      const service = textFact(row, 'service')
      const title = textFact(row, 'title') ?? ''
      const key = (title.match(/(?<![a-z\d])[a-z][a-z\d]*(?:[_.-][a-z\d]+)+/gi) ?? []).find(
        word => word !== service && word.length >= 6
      )
      return service === undefined || key === undefined ? [] : [{ service, key }]
    })
  return [...new Map(found.map(one => [one.key, one])).values()].slice(0, maxSwitches)
}

const switchQuestion = (
  { account, window, env }: FollowUpInput,
  { service, key }: Switch,
  { index, onset, options }: { index: number; onset: EpochMs; options: CallOptions }
): Question => {
  const query = `service:${service} "${key}"${env === null ? '' : ` env:${env}`}`
  return {
    slot: `${switchSlot}-${index + 1}`,
    title: `Lines of ${service} that name ${key}`,
    asked: query,
    async ask() {
      const [before, after] = await linesAround(
        account,
        { query, window, moment: onset - 2 * minute, most: [3, 10] },
        options
      )
      return { ...fromRows(after, rows => [...before.rows, ...rows].map(logFacts)), asked: query }
    }
  }
}
