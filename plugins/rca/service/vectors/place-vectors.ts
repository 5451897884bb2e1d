import type { Knex } from '../../../../core/index.ts'
import { memoryStore, type Unplaced } from '../../store/memories.ts'
import { collectionOf, type Collection, type VectorStore } from './vector-store.ts'

/** An analysis whose vector is in a place. */
export interface Placed {
  readonly id: string
  readonly place: string | null
}

/** Puts vectors of incidents into a store and remembers where they are, so that what is missing can be told. */
export function createPlacing(needs: {
  readonly db: Knex
  readonly model: string
  readonly store: VectorStore
  /** Has the vectors made that are missing. */
  readonly refill: () => Promise<void>
}) {
  const { db, model, store, refill } = needs
  const placeOf = ({ name }: Collection): string => `${store.name}:${name}`
  const collectionAt = (at: string | null): string | undefined =>
    at?.startsWith(`${store.name}:`) ? at.slice(store.name.length + 1) : undefined

  async function remove(
    places: readonly Placed[],
    signal: AbortSignal,
    besides?: string
  ): Promise<void> {
    for (const [collection, gone] of Map.groupBy(places, ({ place }) => collectionAt(place)))
      if (collection !== undefined && collection !== besides)
        await store.remove(
          collection,
          gone.map(({ id }) => id),
          signal
        )
  }
  return {
    placeOf,
    /** One vector for each incident, all of one length; answers where they are now. */
    async place(
      incidents: readonly Unplaced[],
      vectors: readonly number[][],
      signal: AbortSignal
    ): Promise<Collection> {
      const collection = collectionOf(model, vectors[0]?.length ?? 0)
      const points = incidents.flatMap(({ id, account }, index) => {
        const vector = vectors[index]
        return vector ? [{ id, account, vector }] : []
      })
      const isNew = await store.put(collection, points, signal)
      if (isNew) {
        // What a lost collection held is missing now, and so is all that another model's holds.
        await memoryStore.displace(db, placeOf(collection))
        await refill()
      }
      const ids = points.map(({ id }) => id)
      const placed = new Set(await memoryStore.placed(db, ids, placeOf(collection)))
      // Deleted while its vector was made.
      const gone = ids.filter(id => !placed.has(id))
      if (gone.length > 0) await store.remove(collection.name, gone, signal)
      // A vector that an earlier model left is in nobody's way, and somebody's data.
      await remove(incidents, signal, collection.name)
      return collection
    },
    /** Removes the vectors of analyses from this store; those of another one are not reached. */
    remove: (places: readonly Placed[], signal: AbortSignal): Promise<void> =>
      remove(places, signal)
  }
}
