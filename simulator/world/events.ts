import { matches, readPath, tagValues, type Searchable } from '../search/match.ts'
import { wordsOf } from '../search/query.ts'
import { isAfter, type SearchRequest } from '../search/request.ts'
import type { EventSpec } from '../scenarios/load-scenario.ts'
import type { Account } from './accounts.ts'
import { alertEvent } from './alert-event.ts'
import type { EventRow } from './event-row.ts'
import { scenarioEvent } from './scenario-event.ts'

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
