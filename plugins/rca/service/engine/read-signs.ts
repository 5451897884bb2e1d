import { findStep, judgeChange, type Change as SeriesChange, type Series } from './change-points.ts'
import { compareTemplates } from './compare-templates.ts'
import type { Incident, MetricSign } from './incident.ts'
import { kindsOf, type SymptomKind } from './symptom-kinds.ts'

/** A text that says what is wrong, and how much it says, 0 to 1. */
export interface BadText {
  readonly text: string
  readonly service: string
  readonly weight: number
  readonly from: 'alert' | 'log' | 'pattern' | 'span' | 'metric'
  readonly id?: string
}
export interface MovedMetric {
  readonly metric: MetricSign
  readonly change: SeriesChange
}
export interface Signs {
  readonly onset: { readonly at: number; readonly precisionMs: number; readonly source: string }
  readonly texts: readonly BadText[]
  readonly moved: readonly MovedMetric[]
  /** How strongly the incident shows each kind, 0 to 1. */
  readonly kinds: ReadonlyMap<SymptomKind, number>
  /** Every service with signs of trouble of its own, with the first time they were seen. */
  readonly troubled: ReadonlyMap<string, { readonly firstAt: number; readonly weight: number }>
}

const minute = 60_000
const weights = { alert: 0.6, span: 0.4, metric: 0.35, elsewhere: 0.7 } as const
// The loudest of each kind say what there is to say, and patterns cost time with the length of a text.
const maxTexts = 24
const maxChars = 1_000
// A metric moved when it changed more than it ever did before by this factor.
const leastMove = 1.5

/** Reads what is wrong, since when and where, from alert, logs, patterns, spans and metrics. */
export function readSigns(incident: Incident): Signs {
  const onset = findOnset(incident)
  const moved = movedMetrics(incident, onset.at)
  const { alert } = incident
  const texts: BadText[] = [
    {
      text: `${alert.metric ?? ''} ${alert.text}`,
      service: alert.service,
      weight: weights.alert,
      from: 'alert' as const,
      ...(alert.id === undefined ? {} : { id: alert.id })
    },
    ...badLogs(incident, onset.at).slice(0, maxTexts),
    ...badPatterns(incident).slice(0, maxTexts),
    ...badSpans(incident, onset.at).slice(0, maxTexts),
    ...moved.slice(0, maxTexts).map(({ metric, change }) => ({
      text: metricText(metric, change),
      service: metric.service,
      weight:
        weights.metric *
        Math.min(1, change.strength / 4) *
        (metric.service === alert.service ? 1 : weights.elsewhere),
      from: 'metric' as const,
      ...(metric.id === undefined ? {} : { id: metric.id })
    }))
  ].map(one => ({ ...one, text: one.text.slice(0, maxChars) }))
  return {
    onset,
    texts,
    moved,
    kinds: weighKinds(texts),
    troubled: troubledServices(incident, texts, moved, onset.at)
  }
}

/**
 * When it began: the step of the alert's own metric, else of any metric of its service, else the first
 * error line, else the alert. Where a resource had been filling up until then, the start of its climb:
 * a kill or a refusal is only its end.
 */
function findOnset({ alert, metrics, logs }: Incident): Signs['onset'] {
  const own = metrics.filter(({ service }) => service === alert.service)
  const stepsOf = (chosen: readonly MetricSign[], until = alert.at): Signs['onset'][] =>
    chosen
      .flatMap(({ name, series }) => {
        const step = findStep(series, until)
        const source = `${alert.service} ${name} left its usual range`
        return step ? [{ at: step.at, precisionMs: step.precisionMs, source }] : []
      })
      .sort((a, b) => a.at - b.at)
  // What was full is often empty again at the alert: killed, restarted.
  const beforeAlert = alert.at - 3 * minute
  const [climb] = stepsOf(
    own.filter(({ name, series }) => isStock(name) && isClimbing(series, beforeAlert)),
    beforeAlert
  )
  const [step] = [...stepsOf(own.filter(({ name }) => name === alert.metric)), ...stepsOf(own)]
  if (climb && (!step || climb.at < step.at)) return climb
  if (step) return step
  const errors = logs.filter(
    log => log.severity === 'error' && log.at <= alert.at && log.at > alert.at - 60 * minute
  )
  const first = Math.min(...errors.map(log => log.at))
  return Number.isFinite(first)
    ? { at: first, precisionMs: minute, source: 'the first error line before the alert' }
    : { at: alert.at, precisionMs: 5 * minute, source: 'the time of the alert; no step was found' }
}

/** Metrics of something that fills up. */
const isStock = (name: string): boolean =>
  /mem|rss|heap|disk|conn|pool|fds?\b|descriptor|goroutine|thread|lag|queue|backlog|size|used/i.test(
    name
  )

/**
 * Whether a series grew step by step until the alert rather than at once: no tenth of its way took
 * half of the growth.
 */
function isClimbing(series: Series, alertAt: number): boolean {
  const step = findStep(series, alertAt)
  if (!step || step.direction === 'down') return false
  const values = series.values.flatMap((value, index) => {
    const time = series.times[index] ?? 0
    return value !== null && time >= step.at - series.intervalMs && time <= alertAt ? [value] : []
  })
  const width = Math.max(1, Math.floor(values.length / 10))
  const growth = Math.max(...values) - step.before
  const largest = Math.max(
    ...values.slice(width).map((value, index) => value - (values[index] ?? 0))
  )
  return values.length >= 6 && largest < growth / 2
}

function movedMetrics({ metrics }: Incident, onset: number): MovedMetric[] {
  return metrics
    .flatMap(metric => {
      const change = judgeChange(metric.series, onset)
      return change && change.strength >= leastMove ? [{ metric, change }] : []
    })
    .sort(
      (a, b) => b.change.strength - a.change.strength || (a.metric.name < b.metric.name ? -1 : 1)
    )
}

/** The name of a metric as words with its direction; one that fell is no sign of what its name says more of. */
const metricText = ({ name }: MetricSign, { direction }: SeriesChange): string =>
  direction === 'up'
    ? `${name.replaceAll(/[._]/g, ' ')} ${name} up`
    : /hit|success|avail|ready|healthy|free|remaining|until/i.test(name)
      ? `${name.replaceAll(/[._]/g, ' ')} ${name} down`
      : `${name} down`.replace(/request\w*|rate|rps|qps|traffic|throughput/gi, 'calls')

/** Error and warning lines whose template is new or came more often, each weighing by its share of them. */
function badLogs({ logs, logsFrom }: Incident, onset: number): BadText[] {
  const bad = logs.filter(log => log.severity !== 'info')
  const first = Math.min(onset - 1, ...logs.map(log => log.at))
  // Where no line was written before, the time without one counts too.
  const from = first < onset - minute ? first : Math.min(first, logsFrom ?? first)
  const until = Math.max(onset + 1, ...logs.map(log => log.at)) + 1
  const changed = compareTemplates({
    lines: bad.map(log => ({ text: log.text, at: log.at, source: log.service })),
    from,
    // Clocks and buckets are not exact: a line just before the onset belongs to it.
    onset: Math.max(from + 1, onset - minute),
    until
  }).filter(({ change }) => change === 'new' || change === 'more')
  const total = changed.reduce((sum, { after }) => sum + after, 0)
  return changed.flatMap(({ source, examples, after }) => {
    const line = bad[examples[0] ?? 0]
    return line
      ? [
          {
            text: line.detail === undefined ? line.text : `${line.text} ${line.detail}`,
            service: source,
            weight: 0.4 + (0.5 * after) / total,
            from: 'log' as const,
            ...(line.id === undefined ? {} : { id: line.id })
          }
        ]
      : []
  })
}

function badPatterns({ patterns }: Incident): BadText[] {
  const bad = patterns.filter(
    ({ isBad, delta, count, text }) =>
      delta > 0 && (isBad ?? (delta >= count / 2 && kindsOf(text).includes('errors')))
  )
  const total = bad.reduce((sum, { delta }) => sum + Math.log1p(delta), 0)
  return bad.map(({ id, text, service, delta }) => ({
    text,
    service,
    weight: 0.4 + (0.5 * Math.log1p(delta)) / total,
    from: 'pattern' as const,
    ...(id === undefined ? {} : { id })
  }))
}

function badSpans({ spans }: Incident, onset: number): BadText[] {
  const seen = new Map<string, BadText>()
  for (const { id, service, error, at } of spans)
    if (error !== undefined && at > onset - 2 * minute && !seen.has(`${service} ${error}`))
      seen.set(`${service} ${error}`, {
        text: error,
        service,
        weight: weights.span,
        from: 'span',
        ...(id === undefined ? {} : { id })
      })
  return [...seen.values()]
}

/** Independent signs of one kind add up as chances do: 1 - product of (1 - weight). */
function weighKinds(texts: readonly BadText[]): Map<SymptomKind, number> {
  const missing = new Map<SymptomKind, number>()
  for (const { text, weight } of texts)
    for (const kind of kindsOf(text)) missing.set(kind, (missing.get(kind) ?? 1) * (1 - weight))
  return new Map([...missing].map(([kind, chance]) => [kind, 1 - chance]))
}

function troubledServices(
  { alert, logs, spans }: Incident,
  texts: readonly BadText[],
  moved: readonly MovedMetric[],
  onset: number
): Map<string, { firstAt: number; weight: number }> {
  const found = new Map<string, { firstAt: number; weight: number }>()
  const note = (service: string, firstAt: number, weight: number): void => {
    const known = found.get(service)
    found.set(service, {
      firstAt: Math.min(known?.firstAt ?? Number.POSITIVE_INFINITY, firstAt),
      weight: (known?.weight ?? 0) + weight
    })
  }
  for (const { service, weight, from } of texts)
    if (from !== 'metric') note(service, Number.POSITIVE_INFINITY, weight)
  for (const { metric, change } of moved)
    if (isTrouble(metric.name, change.direction))
      note(metric.service, findStep(metric.series, alert.at)?.at ?? onset, weights.metric)
  for (const { service, at, isError } of spans)
    if (isError && at >= onset - 2 * minute && found.has(service)) note(service, at, 0)
  for (const { service, at, severity } of logs)
    if (severity === 'error' && at >= onset - 2 * minute && found.has(service)) note(service, at, 0)
  return found
}

/** Whether a metric that moved this way says that its service does worse. */
const isTrouble = (name: string, direction: 'up' | 'down'): boolean =>
  direction === 'up'
    ? /error|fail|5xx|4xx|latency|duration|p9\d|p50|timeout|panic|exception|restart|lag|backlog|reject/i.test(
        name
      )
    : /success|avail|healthy|ready/i.test(name)
