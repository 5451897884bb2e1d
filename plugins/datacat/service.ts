import { randomUUID } from 'node:crypto'
import {
  notFound,
  type RayneError,
  type JobHandle,
  type Knex,
  type Logger
} from '../../core/index.ts'
import type { Datacat, OpenSession, SessionWrites } from './contract.ts'
import { createExporter } from './service/export.ts'
import { createRenderer } from './service/render-session.ts'
import { createWatch, type Emit, type Limits } from './service/watch.ts'
import { createWriter, type Outcome, type Writes } from './service/write.ts'
import { createAppendStore } from './store/append.ts'
import { sessionStore } from './store/sessions.ts'
import { checkJson, stringify, type JsonObject } from './wire/json.ts'
import { isSessionId } from './wire/session-id.ts'

export const unknownSession = (id: string): RayneError =>
  notFound('session', id.slice(0, 64), 'GET /v1/datacat/sessions')

/** Everything that writes and renders sessions, made of the parts in `service/`. */
export function createDatacats({
  db,
  emit,
  limits,
  log,
  purge
}: {
  db: Knex
  emit: Emit
  limits: Limits
  log: Logger
  purge: JobHandle<{ sessionKey: number }>
}) {
  const append = createAppendStore()
  const watch = createWatch({ db, emit, store: append, limits, log })
  const writer = createWriter({ db, emit, store: append, watch })
  const renderer = createRenderer(db)
  const exporter = createExporter(db)

  async function open({
    id = randomUUID(),
    product,
    version,
    machineId,
    hostname,
    startedAt,
    state,
    heartbeat
  }: OpenSession = {}): Promise<{ id: string; created: boolean }> {
    if (state) checkJson(state as JsonObject, '/state')
    const created = await writer.open({
      id: id.toLowerCase(),
      createdAt: startedAt ?? Date.now(),
      product: product ?? null,
      version: version ?? null,
      machineId: machineId ?? null,
      hostname: hostname ?? null,
      state: state === undefined ? null : (state as JsonObject),
      beat:
        heartbeat === undefined
          ? null
          : {
              hungAfterSeconds: heartbeat.hungAfterSeconds,
              crashedAfterSeconds: heartbeat.crashedAfterSeconds
            }
    })
    return { id: id.toLowerCase(), created }
  }

  const store = ({
    sessionId,
    key = null,
    states = [],
    points = [],
    events = [],
    beat = null,
    end = false,
    bytes = 0
  }: Partial<Writes> & { readonly sessionId: string }): Promise<Outcome> =>
    writer.write({ sessionId, key, states, points, events, beat, end, bytes })

  async function write(
    sessionId: string,
    writes: SessionWrites
  ): Promise<{ accepted: number; duplicate: boolean }> {
    const prepared = prepare(sessionId, writes)
    const outcome = isSessionId(sessionId) ? await store(prepared) : 'unknown'
    if (outcome === 'unknown') throw unknownSession(sessionId)
    return {
      accepted:
        outcome === 'duplicate'
          ? 0
          : prepared.states.length + prepared.points.length + prepared.events.length,
      duplicate: outcome === 'duplicate'
    }
  }

  const token: Datacat = {
    open,
    write,
    end: async id => {
      await write(id, { end: true })
    }
  }
  return {
    token,
    open,
    store,
    sweep: watch.sweep,
    render: renderer.session,
    exportArray: exporter.array,
    exportLines: exporter.lines,
    /** Takes a session away at once; its rows go in a job. */
    async remove(id: string): Promise<void> {
      const key = await db.transaction(async trx => {
        const removed = await sessionStore.remove(trx, id)
        if (removed !== undefined)
          await purge.enqueue({ sessionKey: removed }, { trx, key: `session-${removed}` })
        return removed
      })
      if (key === undefined) throw unknownSession(id)
    }
  }
}
export type Datacats = ReturnType<typeof createDatacats>

/** What a caller inside the process gives, as it is stored. */
function prepare(
  sessionId: string,
  { key, states = [], events = [], metrics = [], heartbeat, end }: SessionWrites
) {
  for (const { state } of states) checkJson(state as JsonObject, '/states')
  return {
    sessionId,
    key: key ?? null,
    end: end ?? false,
    beat: heartbeat ? {} : null,
    states: states.map(({ state, at }) => ({ patch: state as JsonObject, at: at ?? null })),
    events: events.map(({ name, data, level, at }) => ({
      name,
      level: level ?? null,
      at: at ?? null,
      data: stringify((data ?? null) as JsonObject | null),
      extra: null
    })),
    points: metrics.map(({ name, value, tags = [], kind = 'gauge', unit, at }) => ({
      name,
      value,
      at: at ?? null,
      tags: tags.length === 0 ? null : JSON.stringify(tags),
      kind,
      unit: unit ?? null,
      extra: kind === 'gauge' ? null : JSON.stringify({ type: kind })
    }))
  }
}
