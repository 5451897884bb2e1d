import type { Account } from './accounts.ts'
import { cycleKey, transitionName, type Monitor, type Transition } from './monitors.ts'
import { decimal, hash, sortableId, unit } from './random.ts'
import { matches, readPath, tagValues, type Searchable } from '../search/match.ts'
import { isAfter, type SearchRequest } from '../search/request.ts'
import { wordsOf } from '../search/query.ts'
import type { EventSpec } from '../scenarios/load-scenario.ts'
import type { World } from './world.ts'

/** One event; it can be found a while after it happened (`visibleAt`), as in the real thing. */
export interface EventRow {
  readonly id: string
  /** The id the older API and links know it by: decimal digits, more than a number holds. */
  readonly evtId: string
  readonly at: number
  readonly visibleAt: number
  readonly title: string
  readonly message: string
  readonly tags: readonly string[]
  readonly attributes: Readonly<Record<string, unknown>>
  readonly reserved: Readonly<Record<string, string>>
  readonly ref?: string
}

const sourceIds: Record<string, number> = {
  alert: 36,
  kubernetes: 147,
  deployment: 100,
  change: 100
}

/** All events between two times, oldest first. */
export function eventsBetween(
  { world, monitors, events }: Pick<Account, 'world' | 'monitors' | 'events'>,
  from: number,
  to: number
): EventRow[] {
  const written = world.scenario.events.flatMap(spec =>
    occurrences(spec, world.t0, from, to).map(at => scenarioEvent(world, spec, at))
  )
  const alerts = monitors.flatMap(monitor =>
    monitor.transitions(from, to).map(transition => alertEvent(world, monitor, transition))
  )
  return [...written, ...alerts, ...events.filter(row => row.at >= from && row.at <= to)].toSorted(
    (a, b) => a.at - b.at || (a.id < b.id ? -1 : 1)
  )
}

function occurrences(spec: EventSpec, t0: number, from: number, to: number): number[] {
  const first = t0 + spec.at * 1000
  if (spec.every === undefined) return first >= from && first <= to ? [first] : []
  const step = spec.every * 1000
  const times: number[] = []
  for (let at = first + Math.ceil((from - first) / step) * step; at <= to; at += step)
    times.push(at)
  return times
}

const WEEK = 7 * 86_400_000

/** One page of events; nothing older than a week is kept, so that any window has a bounded cost. */
export function searchEvents(
  account: Pick<Account, 'world' | 'monitors' | 'events'>,
  request: SearchRequest,
  now: number
): EventRow[] {
  const rows = eventsBetween(
    account,
    Math.max(request.from, now - WEEK),
    Math.min(request.to, now)
  ).filter(
    row =>
      row.visibleAt <= now &&
      matches(request.query, searchable(row)) === true &&
      isAfter(row, request.after, request.descending)
  )
  return (request.descending ? rows.toReversed() : rows).slice(0, request.limit)
}

function searchable(row: EventRow): Searchable {
  return {
    words: () => wordsOf(`${row.title} ${row.message}`),
    values: key => {
      const own = key === 'title' ? row.title : key === 'message' ? row.message : row.reserved[key]
      return own === undefined ? tagValues(row.tags, key) : [own, ...tagValues(row.tags, key)]
    },
    attribute: path => ({ value: readPath(row.attributes, path) })
  }
}

/** The row of a scenario's event at one of its times. */
export function scenarioEvent(world: World, spec: EventSpec, at: number): EventRow {
  const host = spec.host === undefined ? undefined : `${spec.host}${world.account.hostSuffix ?? ''}`
  const reserved = {
    source: spec.source,
    status: spec.status ?? 'info',
    priority: 'normal',
    ...(spec.service === undefined ? {} : { service: spec.service }),
    ...(host === undefined ? {} : { host })
  }
  const tags = [
    ...spec.tags,
    ...(host === undefined ? [] : [`host:${host}`]),
    `source:${spec.source}`
  ]
  const more = { ...(host === undefined ? {} : { hostname: host }), ...spec.attributes }
  const row = eventRow(hash(world.seed, spec.ref, at), {
    at,
    title: spec.title,
    message: spec.message,
    tags,
    reserved,
    type: spec.type,
    key: spec.aggregationKey ?? spec.type,
    more
  })
  return { ...row, ref: spec.ref }
}

/** The event Datadog writes when a monitor changes its state (`source:alert`). */
export function alertEvent(world: World, monitor: Monitor, transition: Transition): EventRow {
  const { spec, id } = monitor
  const state = transition.to
  const status =
    state === 'Alert' ? 'error' : state === 'Warn' ? 'warn' : state === 'OK' ? 'ok' : 'warn'
  const group = transition.group === '' ? [] : transition.group.split(',')
  const service = tagValues(spec.tags, 'service')[0]
  return eventRow(hash(world.seed, id, transition.group, transition.at), {
    at: transition.at,
    title: alertTitle(monitor, transition),
    message: `%%%\n${spec.message}\n\n${alertSummary(monitor, transition)}\n\nThe monitor was last changed at ${new Date(transition.at).toUTCString()}.\n%%%`,
    tags: [...new Set([...spec.tags, ...group, 'monitor', 'source:alert'])],
    type: eventType(spec.type),
    key: decimal(hash(id), 16),
    reserved: {
      source: 'alert',
      status,
      priority: 'normal',
      ...(service === undefined ? {} : { service })
    },
    more: {
      monitor: {
        id,
        name: spec.name,
        type: spec.type,
        query: spec.query,
        message: spec.message,
        tags: spec.tags,
        priority: spec.priority ?? null,
        groups: group,
        transition: {
          trans_name: transitionName(transition),
          trans_type: status === 'ok' ? 'alert recovery' : 'alert',
          source_state: transition.from,
          destination_state: state
        },
        alert_cycle_key: cycleKey(monitor, transition)
      }
    }
  })
}

/** `$EVENT_TYPE` of a monitor type. */
export const eventType = (monitorType: string): string =>
  monitorType === 'event alert' ? 'event_alert' : `${monitorType.replaceAll(' ', '_')}_monitor`

/** `[P2] [Triggered on {host:a}] name`, as alert titles read. */
export function alertTitle(monitor: Monitor, transition: Transition): string {
  const priority = monitor.spec.priority === undefined ? '' : `[P${monitor.spec.priority}] `
  return `${priority}[${transitionName(transition)}${transition.group === '' ? '' : ` on {${transition.group}}`}] ${monitor.spec.name}`
}

/** One sentence on the value and the limit, as `$ALERT_STATUS` has it. */
export function alertSummary(monitor: Monitor, transition: Transition): string {
  const { query, spec } = monitor
  const limit = transition.to === 'Warn' ? (spec.warning ?? query.critical) : query.critical
  const compared =
    transition.to === 'OK'
      ? `was not ${query.op} ${query.critical}`
      : transition.to === 'No Data'
        ? 'had no data'
        : `was ${query.op} ${limit}`
  return `${spec.name}${transition.group === '' ? '' : ` over ${transition.group}`} ${compared} during the ${query.window.replace('_', ' ')}.\n\nMetric value: ${Number.isNaN(transition.value) ? 'none' : transition.value.toFixed(3)}`
}

/** What an event is made of; `reserved` are the fields a search knows without @. */
export interface EventParts {
  readonly at: number
  readonly title: string
  readonly message: string
  readonly tags: readonly string[]
  readonly reserved: EventRow['reserved']
  readonly type: string
  readonly key: string
  readonly more: Readonly<Record<string, unknown>>
}

/** Searches say `warn` and `ok`, answers `warning` and `success`. */
const shownStatus: Readonly<Record<string, string>> = { warn: 'warning', ok: 'success' }

/** The row of an event; it is indexed 5 to 30 seconds after it happened. */
export function eventRow(seed: number, parts: EventParts): EventRow {
  const { at, title, message, tags, reserved, type, key, more } = parts
  const evtId = decimal(seed, 19)
  const attributes = {
    status: shownStatus[reserved['status'] ?? ''] ?? reserved['status'],
    event_object: key,
    service: reserved['service'] ?? 'undefined',
    title,
    timestamp: at,
    priority: 'normal',
    aggregation_key: key,
    evt: { source_id: sourceIds[reserved['source'] ?? ''] ?? 100, type, id: evtId },
    ...more
  }
  return {
    id: sortableId(at, seed),
    evtId,
    at,
    visibleAt: at + 5000 + Math.floor(unit(seed, 9) * 25_000),
    title,
    message,
    tags,
    attributes,
    reserved
  }
}

/** An event as the v2 API shows it, as JSON text. */
export const eventJson = (row: EventRow): string =>
  JSON.stringify({
    id: row.id,
    type: 'event',
    attributes: {
      timestamp: new Date(row.at).toISOString(),
      message: row.message,
      tags: row.tags,
      attributes: row.attributes
    }
  })
