import type { Datacat, SessionWrites } from '../contract.ts'
import { checkJson, stringify, type Json } from '../wire/json.ts'
import { tagsText } from '../wire/metric.ts'
import { checkPatches, readPatch } from '../wire/patches.ts'
import { isSessionId, unknownSession } from '../wire/session-id.ts'
import type { Writer } from './write.ts'
import type { Writes } from './writes.ts'

/** What other plugins may do, through the same door as the wire. */
export function createInProcess(writer: Pick<Writer, 'open' | 'store'>): Datacat {
  const write: Datacat['write'] = async (sessionId, writes) => {
    const prepared = prepare(sessionId, writes)
    checkPatches(
      prepared.states.map(one => one.patch),
      '/states'
    )
    const outcome = isSessionId(sessionId) ? await writer.store(prepared) : 'unknown'
    if (outcome === 'unknown') throw unknownSession(sessionId)
    const isDuplicate = outcome === 'duplicate'
    return { accepted: isDuplicate ? 0 : itemsOf(prepared), duplicate: isDuplicate }
  }
  return {
    open: session => writer.open(session),
    write,
    end: async id => {
      await write(id, { end: true })
    }
  }
}

const itemsOf = ({ states, points, events }: Omit<Writes, 'bytes'>): number =>
  states.length + points.length + events.length

/** Data of a caller inside the process, checked as that of the wire is. */
function jsonOf<T extends Json>(value: unknown, pointer: string): T {
  checkJson(value as T, pointer)
  return value as T
}

function prepare(
  sessionId: string,
  { key, states = [], events = [], metrics = [], heartbeat, end }: SessionWrites
): Omit<Writes, 'bytes'> {
  return {
    sessionId,
    key: key ?? null,
    end: end ?? false,
    beat: heartbeat ? {} : null,
    states: states.map(({ state, at }, n) => ({
      patch: readPatch(state, `/states/${n}/state`),
      at: at ?? null,
      said: null
    })),
    events: events.map(({ name, data = null, level, at }) => ({
      name,
      level: level ?? null,
      at: at ?? null,
      data: stringify(jsonOf(data, '/events')),
      extra: null
    })),
    points: metrics.map(({ name, value, tags = [], kind = 'gauge', unit, at }) => ({
      name,
      value,
      at: at ?? null,
      tags: tagsText(tags),
      kind,
      unit: unit ?? null,
      extra: kind === 'gauge' ? null : JSON.stringify({ type: kind, unit }),
      weight: null,
      sample: null
    }))
  }
}
