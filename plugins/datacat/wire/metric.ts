import { invalid, type RayneError, type Static } from '../../../core/index.ts'
import type { NewPoint } from '../store/append-rows.ts'
import { rareFields } from './rare-fields.ts'
import { checkJson, type JsonObject } from './json.ts'
import { maxSeries, maxTagSets } from './limits.ts'
import type { Metric } from './schemas.ts'
import { readClientTime, saidOf } from './time.ts'

/** A metric from the wire, checked, as it is stored; `now` is epoch milliseconds. */
export function readMetric(
  { name, value, tags, timestamp, type = 'gauge', unit, count, metadata }: Static<typeof Metric>,
  pointer: string,
  now: number
): NewPoint {
  if (!Number.isFinite(value))
    throw invalid(`${pointer}/value`, 'is a number outside the range of float64')
  if (metadata) checkJson(metadata as JsonObject, `${pointer}/metadata`)
  const { at, said } = readClientTime(timestamp, `${pointer}/timestamp`, now)
  const measured = unit ?? (type === 'timer' ? 's' : undefined)
  const kind = type === 'gauge' ? undefined : type
  const isPlain = [kind, unit, count, metadata].every(one => one === undefined) && said === null
  return {
    name,
    value,
    at,
    tags: tagsText(tags ?? []),
    kind: type,
    unit: measured ?? null,
    extra: isPlain ? null : rareFields({ type, unit: measured, count, metadata, ...saidOf(said) }),
    ...weightOf(type, value, count)
  }
}

/** Tags as they are stored: JSON text, null when there is none. */
export const tagsText = (tags: readonly string[]): string | null =>
  tags.length === 0 ? null : JSON.stringify(tags)

/**
 * How many samples a value stands for: that of a histogram is the mean of `count` samples, that of
 * a timer the time of `count` rounds.
 */
function weightOf(
  type: string,
  value: number,
  count: number | undefined
): Pick<NewPoint, 'weight' | 'sample'> {
  if (count === undefined || count === 1) return { weight: null, sample: null }
  if (type === 'histogram') return { weight: count, sample: null }
  if (type === 'timer') return { weight: count, sample: count === 0 ? null : value / count }
  return { weight: null, sample: null }
}

const whole = (count: number): string => count.toLocaleString('en-US')

/** The refusal of metrics that would bring more series than there may be. */
export const tooManySeries = (pointer: string): RayneError =>
  invalid(
    pointer,
    `would make too many series: a session has at most ${whole(maxSeries)}, ` +
      `one metric at most ${whole(maxTagSets)} units; put what differs each time into an event`
  )
