import { ApiError } from '../routes/api-error.ts'
import { evaluate } from '../metrics/evaluate.ts'
import { parseMetricQuery, type Expression } from '../metrics/grammar.ts'
import { decimal, hash } from './random.ts'
import type { MonitorSpec } from '../scenarios/load-scenario.ts'
import type { World } from './world.ts'

export type MonitorState = 'OK' | 'Warn' | 'Alert' | 'No Data'
/** A change of state; `group` is empty for a monitor without groups. */
export interface Transition {
  readonly at: number
  readonly group: string
  readonly from: MonitorState
  readonly to: MonitorState
  readonly value: number
}
export interface MonitorQuery {
  readonly expression: Expression
  readonly aggregation: string
  readonly windowMs: number
  readonly window: string
  readonly op: string
  readonly critical: number
}
/** What a monitor of the API has beside its definition; times in epoch ms. */
export interface MonitorDraft {
  readonly options: Readonly<Record<string, unknown>>
  readonly assets?: readonly Readonly<Record<string, unknown>>[]
  readonly created: number
  readonly modified: number
}
export interface Monitor {
  readonly id: number
  readonly spec: MonitorSpec
  readonly query: MonitorQuery
  /** Set for monitors that were made through the API. */
  readonly draft?: MonitorDraft
  /** States of every group at a time; a monitor without groups has the one group ''. */
  states(at: number): ReadonlyMap<string, MonitorState>
  overall(at: number): MonitorState
  transitions(from: number, to: number): readonly Transition[]
  /** The newest change at or before a time, looked for over six hours. */
  last(at: number, matches?: (transition: Transition) => boolean): Transition | undefined
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const LOOK_BACK_HOURS = 6
const severity: readonly MonitorState[] = ['Alert', 'Warn', 'No Data', 'OK']
const KEPT_HOURS = 400
interface Hour {
  readonly values: ReadonlyMap<string, Float64Array>
  changes?: readonly Transition[]
}

/** The monitors of a world; their state comes from the same series as the graphs, once a minute. */
export const createMonitors = (world: World): Monitor[] =>
  world.scenario.monitors.map(spec =>
    createMonitor(world, spec, Number(decimal(hash(world.seed, 'monitor', spec.name), 8)))
  )

/** A monitor that is evaluated on the metrics of a world. */
export function createMonitor(
  world: World,
  spec: MonitorSpec,
  id: number,
  draft?: MonitorDraft
): Monitor {
  const query = parseMonitorQuery(spec.query)
  const hours = new Map<number, Hour>()
  const hour = (index: number): Hour => {
    let found = hours.get(index)
    if (!found) {
      if (hours.size > KEPT_HOURS) hours.clear()
      hours.set(index, (found = { values: valuesOfHour(world, query, index) }))
    }
    return found
  }
  const valuesAt = (minute: number): Map<string, number> =>
    new Map(
      [...hour(Math.floor(minute / 60)).values].map(([group, values]) => [
        group,
        values[minute % 60] ?? NaN
      ])
    )
  const stateOf = (value: number): MonitorState => judge(value, query, spec.warning)
  const states = (at: number): Map<string, MonitorState> => {
    const values = valuesAt(Math.floor(at / MINUTE))
    return values.size === 0
      ? new Map([['', 'No Data']])
      : new Map([...values].map(([group, value]) => [group, stateOf(value)]))
  }
  const changesIn = (index: number): readonly Transition[] =>
    (hour(index).changes ??= Array.from({ length: 60 }, (_, i) => index * 60 + i).flatMap(minute =>
      changes(valuesAt(minute - 1), valuesAt(minute), minute * MINUTE, stateOf)
    ))
  const transitions = (from: number, to: number): Transition[] => {
    const found: Transition[] = []
    for (let index = Math.floor(from / HOUR); index * HOUR <= to; index++)
      found.push(...changesIn(index).filter(t => t.at >= from && t.at <= to))
    return found
  }
  const last: Monitor['last'] = (at, wanted = () => true) => {
    const newest = Math.floor(at / HOUR)
    for (let index = newest; index > newest - LOOK_BACK_HOURS; index--) {
      const found = changesIn(index).findLast(t => t.at <= at && wanted(t))
      if (found) return found
    }
    return undefined
  }
  const overall = (at: number): MonitorState => {
    const now = new Set(states(at).values())
    return severity.find(s => now.has(s)) ?? 'OK'
  }
  return { id, spec, query, states, overall, transitions, last, ...(draft ? { draft } : {}) }
}

/** A monitor whose query is not understood: it never has data. */
export function inertMonitor(spec: MonitorSpec, id: number, draft: MonitorDraft): Monitor {
  const query: MonitorQuery = {
    expression: { kind: 'number', value: NaN },
    aggregation: 'avg',
    windowMs: 300_000,
    window: 'last_5m',
    op: '>',
    critical: Number(
      (draft.options['thresholds'] as { critical?: number } | undefined)?.critical ??
        /(?<![\d.])([\d.]{1,40})\s{0,40}$/.exec(spec.query)?.[1] ??
        0
    )
  }
  return {
    id,
    spec,
    query,
    draft,
    states: () => new Map([['', 'No Data']]),
    overall: () => 'No Data',
    transitions: () => [],
    last: () => undefined
  }
}

function changes(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  at: number,
  stateOf: (value: number) => MonitorState
): Transition[] {
  return [...after].flatMap(([group, value]) => {
    const from = stateOf(before.get(group) ?? NaN)
    const to = stateOf(value)
    return from === to ? [] : [{ at, group, from, to, value }]
  })
}

function judge(value: number, query: MonitorQuery, warning: number | undefined): MonitorState {
  if (Number.isNaN(value)) return 'No Data'
  const beyond = (limit: number): boolean =>
    query.op === '>'
      ? value > limit
      : query.op === '>='
        ? value >= limit
        : query.op === '<'
          ? value < limit
          : value <= limit
  return beyond(query.critical) ? 'Alert' : warning !== undefined && beyond(warning) ? 'Warn' : 'OK'
}

/** The monitored value at each minute of an hour: over the window that ends there. */
function valuesOfHour(world: World, query: MonitorQuery, index: number): Map<string, Float64Array> {
  const start = index * HOUR - query.windowMs
  const minutes = query.windowMs / MINUTE
  const total = query.aggregation === 'sum'
  const buckets = {
    start,
    step: MINUTE,
    width: total ? query.windowMs : MINUTE,
    count: total ? 60 : 60 + minutes,
    end: Infinity,
    samples: total ? minutes : 2
  }
  const lines = evaluate(world, query.expression, buckets)
  return new Map(
    lines.map(line => [
      line.group.join(','),
      total ? line.values : slide(line.values, minutes, query.aggregation)
    ])
  )
}

function slide(values: Float64Array, width: number, method: string): Float64Array {
  return Float64Array.from({ length: 60 }, (_, i) => {
    const window = values.slice(i, i + width).filter(v => !Number.isNaN(v))
    if (window.length === 0) return NaN
    return method === 'max'
      ? Math.max(...window)
      : method === 'min'
        ? Math.min(...window)
        : window.reduce((a, b) => a + b, 0) / window.length
  })
}

/** Parses `agg(last_5m):<metric query> > 3`. */
export function parseMonitorQuery(text: string): MonitorQuery {
  const found =
    /^\s*(avg|sum|min|max)\(last_(\d+)([mh])\)\s*:(.+?)(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*$/s.exec(
      text
    )
  const [expression, more] = found ? parseMetricQuery(found[4] ?? '') : []
  if (!found || !expression || more)
    throw new ApiError(400, {
      errors: [`The value provided for parameter 'query' is invalid: ${text}`]
    })
  const windowMs = Number(found[2]) * (found[3] === 'h' ? HOUR : MINUTE)
  return {
    expression,
    aggregation: found[1] ?? 'avg',
    windowMs,
    window: `last_${found[2]}${found[3]}`,
    op: found[5] ?? '>',
    critical: Number(found[6])
  }
}

/** The first metric term of an expression: what the alert is about. */
export function firstTerm(expression: Expression): { metric: string; scope: string } {
  if (expression.kind === 'metric')
    return {
      metric: expression.metric,
      scope: expression.scope
        .map(f => `${f.negated ? '!' : ''}${f.key}:${f.value}`)
        .toSorted()
        .join(',')
    }
  if (expression.kind === 'default_zero') return firstTerm(expression.inner)
  if (expression.kind === 'number') return { metric: '', scope: '' }
  const left = firstTerm(expression.left)
  return left.metric === '' ? firstTerm(expression.right) : left
}

/** Datadog's word for a change, as `$ALERT_TRANSITION` has it. */
export function transitionName(transition: Pick<Transition, 'from' | 'to'>): string {
  return {
    OK: transition.from === 'Warn' ? 'Warn Recovered' : 'Recovered',
    Warn: 'Warn',
    Alert: 'Triggered',
    'No Data': 'No Data'
  }[transition.to]
}

/** The key that ties an alert to its recovery: one per episode away from OK. */
export function cycleKey(monitor: Monitor, transition: Transition): string {
  const start =
    transition.from === 'OK'
      ? transition
      : (monitor.last(transition.at - 1, t => t.group === transition.group && t.from === 'OK') ??
        transition)
  return decimal(hash(monitor.id, transition.group, start.at), 19)
}
