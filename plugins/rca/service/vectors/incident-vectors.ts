import { errorText, type Knex, type Logger } from '../../../../core/index.ts'
import { memoryStore, type Unplaced } from '../../store/memories.ts'
import type { Embedder } from './ollama.ts'
import { createPlacing, type Placed } from './place-vectors.ts'
import { collectionOf, collectionsOf, type VectorStore } from './vector-store.ts'

/** An incident whose like are looked for. */
export interface AskedIncident {
  readonly id: string
  readonly account: string | null
  readonly signs: readonly string[]
}
/** How near the meaning of other incidents is, by id; `note` says what was done without. */
export interface Nearness {
  readonly cosines: ReadonlyMap<string, number>
  readonly note?: string
}
/** The meaning of incidents as vectors: made by one service, kept by another, and neither is ever needed. */
export interface IncidentVectors {
  /** Keeps the vector of an incident and finds the nearest of its account, within 4 s or without. */
  near(asked: AskedIncident, stop: AbortSignal): Promise<Nearness>
  /** Makes the vectors that are missing or of another model, newest first. Throws what failed last. */
  embedMissing(signal: AbortSignal): Promise<void>
  /** Whether vectors are missing, as far as can be told without asking the model for its dimension. */
  isBehind(): Promise<boolean>
  /** A word there and back: what `rayne doctor` says of both services. */
  probe(signal: AbortSignal): Promise<string>
  /** Removes the vectors of analyses that are no more. */
  remove(gone: readonly Placed[], signal: AbortSignal): Promise<void>
}

interface Needs {
  readonly db: Knex
  readonly embedder: Embedder
  readonly store: VectorStore
  readonly log: Logger
  /** Has the vectors made that are missing. */
  readonly refill: () => Promise<void>
}

const nearMs = 4_000
const mostNear = 50
const batchSize = 32
const batchMs = 60_000
// A service that fails so often in a row is away.
const maxFailures = 3

const textOf = (signs: readonly string[]): string => signs.join('\n')

/** Vectors that one service makes and another keeps. */
export function createIncidentVectors(needs: Needs): IncidentVectors {
  const { db, embedder, store, log, refill } = needs
  const { model } = embedder
  const placing = createPlacing({ db, model, store, refill })

  async function find(asked: AskedIncident, signal: AbortSignal): Promise<Map<string, number>> {
    const { id, account, signs } = asked
    const incidents = await memoryStore.placeOf(db, [id])
    const [vector] = await embedder.embed([textOf(signs)], signal)
    if (incidents.length === 0 || !vector) return new Map()
    const collection = await placing.place(incidents, [vector], signal)
    const found = await store.nearest(collection, { account, vector, most: mostNear }, signal)
    return new Map(found.filter(one => one.id !== id).map(({ id: other, score }) => [other, score]))
  }
  return {
    async near(asked, stop) {
      try {
        const signal = AbortSignal.any([stop, AbortSignal.timeout(nearMs)])
        return { cosines: await find(asked, signal) }
      } catch (error) {
        stop.throwIfAborted()
        const note = `similar incidents are found by their signs alone: ${errorText(error)}`
        log.warn({ error: errorText(error) }, 'similar incidents are found by their signs alone')
        return { cosines: new Map(), note }
      }
    },
    async embedMissing(signal) {
      const [sample = []] = await embedder.embed(['incident'], signal)
      const wanted = placing.placeOf(collectionOf(model, sample.length))
      let failures = 0
      let failure: unknown
      for (let after: string | null = null; failures < maxFailures;) {
        const batch: Unplaced[] = await memoryStore.notIn(db, wanted, after, batchSize)
        if (batch.length === 0) break
        signal.throwIfAborted()
        const inTime = AbortSignal.any([signal, AbortSignal.timeout(batchMs)])
        try {
          const texts = batch.map(({ signs }) => textOf(signs))
          await placing.place(batch, await embedder.embed(texts, inTime), inTime)
          failures = 0
        } catch (error) {
          // What one batch cannot be given keeps no other from its vectors.
          failure = error
          failures += 1
        }
        after = batch.at(-1)?.number ?? null
      }
      if (failure !== undefined) throw failure
    },
    isBehind: () => memoryStore.isOutside(db, `${store.name}:${collectionsOf(model)}`),
    async probe(signal) {
      const [vector = []] = await embedder.embed(['incident'], signal)
      const collection = collectionOf(model, vector.length)
      await store.nearest(collection, { account: null, vector, most: 1 }, signal)
      return `${model} makes vectors of ${vector.length} numbers, kept in ${placing.placeOf(collection)}`
    },
    remove: (gone, signal) => placing.remove(gone, signal)
  }
}
