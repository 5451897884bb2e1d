import { invalid, compile, RayneError, type Static } from '../../../core/index.ts'
import { rareFields } from './rare-fields.ts'
import { Batch, type Event, type State } from './schemas.ts'
import type { NewEvent } from '../store/append-rows.ts'
import { checkJson, stringify, type Json, type JsonObject } from './json.ts'
import { maxItems } from './limits.ts'
import { readMetric } from './metric.ts'
import { checkPatches, readPatch } from './patches.ts'
import { readClientTime, saidOf, type ClientTime } from './time.ts'

const check = compile(Batch)

/** JSON as it is: keys such as `__proto__` are ordinary data here. An empty body is an empty object. */
export function parseBody(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (text.trim() === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new RayneError({
      code: 'invalid-json',
      message: `/body is not valid JSON: ${error instanceof Error ? error.message : 'unreadable'}`,
      details: { errors: [{ pointer: '/body', message: 'is not valid JSON' }] },
      cause: error
    })
  }
}

/** A state update from the wire. */
export interface NewPatch extends ClientTime {
  readonly patch: JsonObject
}

/** A batch from the wire, checked in every field, as it is stored; `now` is epoch milliseconds. */
export function readBatch(bytes: Uint8Array, now: number) {
  const { key, states = [], events = [], metrics = [], heartbeat, end } = check(parseBody(bytes))
  const count = states.length + events.length + metrics.length
  if (count > maxItems)
    throw invalid('/body', `holds ${count} items; a batch holds at most ${maxItems}`)
  const updates = states.map((one, n) => stateOf(one, `/body/states/${n}`, now))
  checkPatches(
    updates.map(one => one.patch),
    '/body/states'
  )
  return {
    key: key ?? null,
    beat: heartbeat ? {} : null,
    end: end ?? false,
    count,
    bytes: bytes.length,
    states: updates,
    events: events.map((one, n) => eventOf(one, `/body/events/${n}`, now)),
    points: metrics.map((one, n) => readMetric(one, `/body/metrics/${n}`, now))
  }
}

function stateOf(
  { state, timestamp }: Static<typeof State>,
  pointer: string,
  now: number
): NewPatch {
  return {
    patch: readPatch(state, `${pointer}/state`),
    ...readClientTime(timestamp, `${pointer}/timestamp`, now)
  }
}

function eventOf(
  { name, data = null, timestamp, level, ...extra }: Static<typeof Event>,
  pointer: string,
  now: number
): NewEvent {
  checkJson(data as Json, `${pointer}/data`)
  const { at, said } = readClientTime(timestamp, `${pointer}/timestamp`, now)
  return {
    name,
    level: level ?? (extra.exception ? 'error' : null),
    at,
    data: data === null ? 'null' : stringify(data as JsonObject),
    extra: rareFields({ ...extra, ...saidOf(said) })
  }
}
