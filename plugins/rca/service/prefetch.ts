import type { EpochMs } from '../../../core/index.ts'
import {
  DatadogError,
  type CallOptions,
  type DatadogAccount,
  type DatadogEvent,
  type DatadogMonitor,
  type DatadogRows,
  type DatadogSeries,
  type TimeWindow
} from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceSlot } from '../contract.ts'
import { errorLogs, narrowMetric, narrowSearch, scopeOf, type AlertScope } from './alert-scope.ts'
import {
  eventFacts,
  hostFacts,
  logFacts,
  monitorFacts,
  seriesFacts,
  spanFacts
} from './describe-rows.ts'
import { isSameHost, shortHost } from './host-names.ts'
import { readMonitorQuery, seriesIn, type Watched } from './monitor-query.ts'
import { answer, fromRows, nothing, type Question } from './question.ts'

const slotMs = 12_000
const maxHosts = 100

interface Subject {
  readonly account: DatadogAccount
  readonly alert: Alert
  readonly window: TimeWindow
  readonly options: CallOptions
  /** Undefined when the alert names no monitor. */
  readonly monitor: Promise<DatadogMonitor> | undefined
}
/** What the monitor watches, and what of it the alert is about. */
interface Target {
  readonly watched: Watched
  readonly scope: AlertScope
}

/**
 * Asks Datadog everything a first look needs, side by side; each question ends as rows, empty, truncated, error or
 * forbidden. A monitor of traces or events brings a question of its own.
 */
export async function prefetch(
  account: DatadogAccount,
  alert: Alert,
  window: TimeWindow,
  noticesUntil: EpochMs,
  signal: AbortSignal
): Promise<EvidenceSlot[]> {
  const options = { signal, timeoutMs: slotMs }
  const monitor = alert.monitor_id === null ? undefined : account.monitor(alert.monitor_id, options)
  // Several questions share this call; those that await it later must not leave it unhandled.
  monitor?.catch(() => {})
  const subject: Subject = { account, alert, window, options, monitor }
  const target = targetOf(subject)
  const known = target.catch(() => undefined)
  const questions = [
    monitorQuestion(subject),
    metricQuestion(subject, target),
    changesQuestion(subject, noticesUntil),
    known.then(found => logsQuestion(subject, found)),
    hostQuestion(subject),
    known.then(found => found && watchedQuestion(subject, found))
  ]
  const slots = await Promise.all(
    questions.map(async asked => {
      const question = await asked
      return question && answer(question, window)
    })
  )
  return slots.filter(slot => slot !== undefined)
}

/** The alert's own query says what is watched, else the monitor's; rejects when that one cannot be read. */
async function targetOf({ alert, monitor }: Subject): Promise<Target> {
  const said = alert.query === null ? undefined : readMonitorQuery(alert.query)
  const watched =
    said && said.of !== 'nothing'
      ? said
      : monitor
        ? readMonitorQuery((await monitor).query)
        : (said ?? { of: 'nothing' as const, why: 'the alert names no query' })
  return { watched, scope: scopeOf(alert, watched.of === 'nothing' ? [] : watched.groups) }
}

const monitorQuestion = ({ alert, monitor }: Subject): Question => {
  const asked = monitor ? `monitor ${alert.monitor_id}` : 'the alert names no monitor'
  return {
    slot: 'monitor',
    title: 'The monitor',
    asked,
    ask: async () =>
      monitor
        ? { rows: [monitorFacts(await monitor)], truncated: false, note: null, asked }
        : nothing(asked)
  }
}

const metricQuestion = (subject: Subject, target: Promise<Target>): Question => ({
  slot: 'metric',
  title: "The monitor's metric",
  asked: subject.alert.query ?? 'the query of the monitor',
  async ask() {
    const { watched, scope } = await target
    if (watched.of === 'nothing')
      return nothing(`the monitor has no metric query to draw: ${watched.why}`)
    if (watched.of !== 'metric')
      return nothing(`the monitor has no metric query to draw: it counts ${watched.of}`)
    const { found, note } = await readMetric(subject, narrowMetric(watched.query, scope.terms))
    const read = fromRows(found, rows => rows.map(seriesFacts))
    return note === null ? read : { ...read, note: [note, read.note].filter(Boolean).join('; ') }
  }
})

/** A function that a graph cannot have is no reason to see nothing: the series in it are asked for instead. */
async function readMetric(
  { account, window, options }: Subject,
  query: string
): Promise<{ found: DatadogRows<DatadogSeries>; note: string | null }> {
  try {
    return { found: await account.metric({ query, window }, options), note: null }
  } catch (error) {
    const plain = seriesIn(query).join(', ')
    if (
      !(error instanceof DatadogError && error.failure === 'invalid') ||
      plain === query ||
      plain === ''
    )
      throw error
    return {
      found: await account.metric({ query: plain, window }, options),
      note: `the series alone, because the whole query was refused (${error.message})`
    }
  }
}

const changesQuestion = (
  { account, window, options }: Subject,
  noticesUntil: EpochMs
): Question => ({
  slot: 'changes',
  title: 'Deploys, flags and other changes',
  asked: changeQuery,
  async ask() {
    // One after the other: a site that fails is not asked twice.
    const changes = await account.events({ query: changeQuery, window, limit: 200 }, options)
    const { rows: notices, problem } = await noticesOf(
      account,
      { from: window.from, to: noticesUntil },
      options
    )
    const known = new Set(changes.rows.map(({ id }) => id))
    const read = fromRows(changes, rows =>
      [...rows, ...notices.filter(({ id }) => !known.has(id))].map(eventFacts)
    )
    return { ...read, note: [read.note, problem].filter(Boolean).join('; ') || null }
  }
})
/** What outsiders announce; where it cannot be read, the changes still can. */
async function noticesOf(
  account: DatadogAccount,
  window: TimeWindow,
  options: CallOptions
): Promise<{ rows: readonly DatadogEvent[]; problem: string | null }> {
  try {
    const { rows } = await account.events({ query: noticeQuery, window, limit: 50 }, options)
    return { rows, problem: null }
  } catch (error) {
    if (!(error instanceof DatadogError)) throw error
    return { rows: [], problem: `announcements of outsiders are missing: ${error.message}` }
  }
}

/** What outsiders, checks, jobs and machines announce; what monitors say is the alert again. */
const noticeQuery = '-source:(alert OR monitor OR deployment OR feature_flag)'

/** Events that say that somebody or something changed the system. */
const changeQuery = [
  '(source:(deploy OR deployment OR change OR change_tracking OR github OR gitlab OR jenkins',
  ' OR argocd OR kubernetes OR launchdarkly OR feature_flag)',
  ' OR tags:deployment OR "deploy" OR "rollout" OR "flag")'
].join('')

/** A log monitor's own search, else the errors of what the alert is about. */
function logsQuestion(
  { account, alert, window, options }: Subject,
  target: Target | undefined
): Question {
  const own = target?.watched.of === 'logs' ? target.watched : undefined
  const scope = target?.scope ?? scopeOf(alert)
  const query = own ? narrowSearch(own.query, scope.terms) : errorLogs(scope)
  return {
    slot: 'logs',
    title: own ? 'Log lines the monitor counts' : 'Error logs',
    asked: query,
    ask: async () =>
      fromRows(await account.logs({ query, window, limit: 100, sort: 'newest' }, options), rows =>
        rows.map(logFacts)
      )
  }
}

const hostQuestion = ({ account, alert, options }: Subject): Question => {
  const { host } = scopeOf(alert)
  return {
    slot: 'hosts',
    title: 'The host',
    asked: host ?? 'the alert names no host',
    async ask() {
      if (host === null) return nothing('the alert names no host')
      // Datadog finds every name that contains the text, so what it found is looked through for this host.
      const found = await account.hosts({ filter: shortHost(host), limit: maxHosts }, options)
      const rows = found.rows.filter(row =>
        [row.name, ...(row.aliases ?? [])].some(name => isSameHost(name, host))
      )
      const others = found.rows.length - rows.length
      return {
        ...fromRows({ ...found, rows, truncated: found.truncated && rows.length === 0 }, own =>
          own.map(hostFacts)
        ),
        ...(rows.length === 0 && others > 0
          ? {
              note: found.truncated
                ? `more than ${others} hosts contain this name, and none of those read is it`
                : `${others} hosts contain this name, and none of them is it`
            }
          : {})
      }
    }
  }
}

/** The monitor's own search, where its lines are; that of a log monitor is the question about logs. */
function watchedQuestion(
  { account, window, options }: Subject,
  { watched, scope }: Target
): Question | undefined {
  if (watched.of !== 'spans' && watched.of !== 'events') return undefined
  const query = narrowSearch(watched.query, scope.terms)
  const search = { query, window, limit: 100 }
  return watched.of === 'spans'
    ? {
        slot: 'spans',
        title: 'Spans the monitor counts',
        asked: query,
        ask: async () =>
          fromRows(await account.spans({ ...search, sort: 'newest' }, options), rows =>
            rows.map(spanFacts)
          )
      }
    : {
        slot: 'events',
        title: 'Events the monitor counts',
        asked: query,
        ask: async () =>
          fromRows(await account.events(search, options), rows => rows.map(eventFacts))
      }
}
