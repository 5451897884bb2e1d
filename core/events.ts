import type { Knex } from 'knex'
import { Type, type Static, type TSchema } from 'typebox'
import type { Statements } from './db/statements.ts'
import type { JobHandle, Jobs } from './jobs.ts'
import type { JobContext } from './run-job.ts'
import { compile, type Validator } from './schema.ts'

/** A fact in the past tense that plugins can subscribe to; delivered as durable jobs, at least once. */
export interface EventType<S extends TSchema> {
  readonly id: string
  readonly payload: S
}

/** `id` is `<plugin>.<past-tense>`, e.g. `webhooks.alert-received`. */
export const defineEvent = <S extends TSchema>(id: string, payload: S): EventType<S> => ({
  id,
  payload
})

export type EventPayload<E> = E extends EventType<infer S> ? Static<S> : never

/** Gives the payloads back of the events whose owner keeps them as rows; ids that are gone are left out. */
export type ReadEvents<P> = (ids: readonly number[]) => Promise<ReadonlyMap<number, P>>

/** An event of which jobs carry the ids only: its owner's rows hold what it tells. */
export interface KeptEvent {
  /** The queues of its subscribers, for `core_emit(queues, ids)` in the statement that stores the rows. */
  queues(): readonly string[]
  /** To be called after the commit: wakes the workers, at most every 50 ms, the last time never lost. */
  told(): void
}

interface Subscriber {
  readonly job: JobHandle<unknown>
  readonly check: Validator<unknown>
}
/** What a job of a kept event carries. */
interface Ids {
  readonly ids: readonly number[]
}
type Handle<P> = (payload: P, context: JobContext) => Promise<void>

const wakeMs = 50
// A job of many ids tries those that failed once more by themselves, and later.
const retrySeconds = 2
const maxAtOnce = 4

/** Who is told of what: jobs by event and subscriber. */
export function createEvents(
  jobs: Pick<Jobs, 'define'>,
  db: Knex,
  statements: Pick<Statements, 'define'>
) {
  const subscribers = new Map<string, Subscriber[]>()
  const kept = new Map<string, ReadEvents<unknown>>()
  const wake = createWaker(statements)

  return {
    async emit(trx: Knex.Transaction, event: EventType<TSchema>, payloads: readonly unknown[]) {
      for (const { job, check } of subscribers.get(event.id) ?? []) {
        for (const payload of payloads) check(payload, event.id)
        await job.enqueueAll(trx, payloads)
      }
    },
    on<S extends TSchema>(owner: string, event: EventType<S>, handle: Handle<Static<S>>): void {
      const job = jobs.define(`on.${event.id}.${owner}`, {
        payload: Type.Unknown(),
        maxConcurrent: 8,
        async run(data, context) {
          const read = kept.get(event.id) as ReadEvents<Static<S>> | undefined
          if (!read || !isIds(data)) return handle(data as Static<S>, context)
          const payloads = await read(data.ids)
          if (data.ids.length > 1) return handleMany(payloads, handle, context, retryAlone)
          for (const payload of payloads.values()) await handle(payload, context)
        }
      })
      const retryAlone = (ids: readonly number[], context: JobContext): Promise<void> =>
        db.transaction(async trx => {
          await context.fence(trx)
          for (const id of ids)
            await job.enqueue({ ids: [id] }, { trx, delaySeconds: retrySeconds })
        })
      const subscriber = { job, check: compile(event.payload) }
      subscribers.set(event.id, [...(subscribers.get(event.id) ?? []), subscriber])
    },
    keep<S extends TSchema>(event: EventType<S>, read: ReadEvents<Static<S>>): KeptEvent {
      kept.set(event.id, read)
      const queues = () => (subscribers.get(event.id) ?? []).map(({ job }) => job.name)
      return { queues, told: () => wake(queues()) }
    }
  }
}
export type Events = ReturnType<typeof createEvents>

/** Hands each payload to the handler, a few at once; those that failed get a job of their own. */
async function handleMany<P>(
  payloads: ReadonlyMap<number, P>,
  handle: Handle<P>,
  context: JobContext,
  retry: (ids: readonly number[], context: JobContext) => Promise<void>
): Promise<void> {
  const failed: number[] = []
  const left = payloads.entries()
  // Nothing is for good yet: whether a failure is the last one shows in the job of its own.
  const one: JobContext = { ...context, lastAttempt: false, endRetries: context.fence }
  const take = async (): Promise<void> => {
    for (const [id, payload] of left) {
      context.signal.throwIfAborted()
      await handle(payload, one).catch((error: unknown) => {
        context.log.warn({ error, id }, 'one event of many failed; it is tried again by itself')
        failed.push(id)
      })
    }
  }
  await Promise.all(Array.from({ length: maxAtOnce }, take))
  if (failed.length > 0) await retry(failed, context)
}

// What was in line before its owner kept the event carries the payload itself.
const isIds = (data: unknown): data is Ids =>
  typeof data === 'object' &&
  data !== null &&
  Object.keys(data).length === 1 &&
  Array.isArray((data as Partial<Ids>).ids)

/**
 * To wake workers costs as much as storing ten rows, so it is done at most every 50 ms. A wake that fails is not
 * repeated: whoever is not woken looks for himself every 2 s.
 */
function createWaker(statements: Pick<Statements, 'define'>): (queues: readonly string[]) => void {
  const statement = statements.define('core_wake', 'select core_wake($1::text[])')
  const waiting = new Set<string>()
  let resting = false
  async function wake(): Promise<void> {
    resting = true
    const queues = [...waiting]
    waiting.clear()
    await statement.run([queues]).catch(() => {})
    setTimeout(() => {
      resting = false
      if (waiting.size > 0) void wake()
    }, wakeMs).unref()
  }
  return queues => {
    for (const queue of queues) waiting.add(queue)
    if (waiting.size > 0 && !resting) void wake()
  }
}
