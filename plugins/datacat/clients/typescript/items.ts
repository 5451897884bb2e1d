import { DatacatError } from './errors.ts'
import { describeException } from './exception.ts'
import { timeText, type Json, type Level, type MetricType, type Moment } from './wire.ts'

export interface EventOptions {
  /** When it happened; now unless said. */
  readonly timestamp?: Moment | undefined
  readonly level?: Level | undefined
  readonly message?: string | undefined
  readonly group?: string | undefined
  readonly labels?: readonly string[] | undefined
}
export interface ExceptionOptions extends EventOptions {
  /** The event's name; `exception` unless said. */
  readonly name?: string | undefined
  /** Laid over the event's data. */
  readonly data?: Json | undefined
}
export interface MetricOptions {
  readonly timestamp?: Moment | undefined
  readonly tags?: readonly string[] | undefined
  readonly unit?: string | undefined
  readonly metadata?: Json | undefined
}
export interface AnyMetricOptions extends MetricOptions {
  readonly type?: MetricType | undefined
  readonly count?: number | undefined
}
export interface TimerOptions extends MetricOptions {
  /** How many iterations the duration is of. */
  readonly count?: number | undefined
}
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds of the buckets, in the unit of the samples; one for all that is larger is added. */
  readonly buckets?: readonly number[] | undefined
}

/** JSON text of one item; throws DatacatError `invalid` for what JSON cannot carry. */
function itemText(item: Json): string {
  try {
    return JSON.stringify(item)
  } catch (cause) {
    throw new DatacatError(
      'invalid',
      `not JSON: ${String((cause as Error | null)?.message ?? cause)}`,
      { cause }
    )
  }
}

const invalid = (pointer: string, message: string): DatacatError =>
  new DatacatError('invalid', `${pointer} ${message}`, { errors: [{ pointer, message }] })

function time(timestamp: Moment | undefined): string {
  try {
    return timeText(timestamp ?? Date.now())
  } catch {
    throw invalid('/timestamp', 'is no time')
  }
}

export const stateItem = (patch: Json, timestamp: Moment | undefined): string =>
  itemText({ state: patch, timestamp: time(timestamp) })

export const eventItem = (
  name: string,
  data: Json | null,
  { timestamp, level, message, group, labels }: EventOptions
): string => itemText({ name, data, timestamp: time(timestamp), level, message, group, labels })

export function exceptionItem(
  thrown: unknown,
  { name = 'exception', data, level = 'error', message, timestamp, group, labels }: ExceptionOptions
): string {
  const exception = describeException(thrown)
  // The first version's clients put these three into the data, and what reads them looks there.
  const first = {
    type: exception.type,
    message: exception.message,
    traceback: exception.stacktrace
  }
  return itemText({
    name,
    data: { ...first, ...data },
    timestamp: time(timestamp),
    level,
    message: message ?? exception.message,
    group,
    labels,
    exception
  })
}

export function metricItem(
  name: string,
  value: number,
  { timestamp, tags, type, unit, count, metadata }: AnyMetricOptions
): string {
  // JSON would make null of it, and null is 0 to the server.
  if (typeof value !== 'number' || !Number.isFinite(value))
    throw invalid('/value', `is ${String(value)}, not a finite number`)
  return itemText({ name, value, timestamp: time(timestamp), tags, type, unit, count, metadata })
}

const usualBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function histogramItem(
  name: string,
  samples: readonly number[],
  { buckets = usualBuckets, metadata, ...options }: HistogramOptions
): string {
  if (samples.length === 0) throw invalid('/count', 'is 0: a histogram needs a sample')
  const bounds = [...buckets].sort((a, b) => a - b)
  const counts = Array.from({ length: bounds.length + 1 }, () => 0)
  for (const sample of samples) {
    const place = bounds.findIndex(bound => sample <= bound)
    const index = place < 0 ? bounds.length : place
    counts[index] = (counts[index] ?? 0) + 1
  }
  const sum = samples.reduce((all, sample) => all + sample, 0)
  const filled = counts.map((count, index) => ({ le: bounds[index] ?? null, count }))
  return metricItem(name, sum / samples.length, {
    ...options,
    type: 'histogram',
    count: samples.length,
    metadata: { ...metadata, sum, buckets: filled }
  })
}
