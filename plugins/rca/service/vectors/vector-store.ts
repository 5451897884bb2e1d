/** Where vectors of one model and one length are kept. */
export interface Collection {
  readonly name: string
  readonly dimension: number
}
/** The vector of an incident, of length 1. */
export interface Point {
  /** Of its analysis. */
  readonly id: string
  readonly account: string | null
  readonly vector: readonly number[]
}
export interface NearPoint {
  readonly id: string
  /** Cosine, -1 to 1. */
  readonly score: number
}

/** Keeps vectors and finds the nearest; what fails throws `memory-unavailable`, or the database's own error. */
export interface VectorStore {
  readonly name: 'qdrant' | 'postgres'
  /** Replaces what is there under the same ids; true when there was no such collection yet. */
  put(collection: Collection, points: readonly Point[], signal: AbortSignal): Promise<boolean>
  /** The nearest of one account, nearest first, none of a collection that is not there. */
  nearest(
    collection: Collection,
    asked: {
      readonly account: string | null
      readonly vector: readonly number[]
      readonly most: number
    },
    signal: AbortSignal
  ): Promise<readonly NearPoint[]>
  remove(collection: string, ids: readonly string[], signal: AbortSignal): Promise<void>
}

/** The beginning of the name of every collection of a model. */
export const collectionsOf = (model: string): string =>
  `rayne-incidents-${model.toLowerCase().replace(/[^a-z0-9.]+/g, '-')}-`
/** A collection is of one model and one length: vectors of different ones cannot be compared. */
export const collectionOf = (model: string, dimension: number): Collection => ({
  name: `${collectionsOf(model)}${dimension}`,
  dimension
})
