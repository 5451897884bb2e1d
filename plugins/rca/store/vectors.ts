import type { Knex } from '../../../core/index.ts'
import type { NearPoint, VectorStore } from '../service/vectors/vector-store.ts'

// What one search reads at most, of the newest; more are for a vector database.
const mostScanned = 5_000

/** Vectors as rows, searched by looking at every one of an account's newest 5,000. */
export const createVectorRows = (db: Knex): VectorStore => ({
  name: 'postgres',
  async put({ name }, points) {
    await db('rca_vectors')
      // An analysis may have been deleted meanwhile.
      .insert(
        db('rca_analyses as a')
          .join(
            db.raw('unnest(?::uuid[], ?::bytea[]) as given (id, vector)', [
              points.map(({ id }) => id),
              points.map(({ vector }) => bytesOf(vector))
            ]),
            'a.id',
            'given.id'
          )
          .select('a.id', db.raw('?', [name]), 'given.vector')
      )
      .onConflict('analysis_id')
      .merge(['collection', 'vector'])
    return false
  },
  async nearest({ name, dimension }, { account, vector, most }) {
    const { rows } = await db.raw(
      `select v.analysis_id as id, v.vector
      from rca_vectors v
      join rca_analyses a on a.id = v.analysis_id
      where v.collection = ? and a.account is not distinct from ?
      order by a.number desc
      limit ?`,
      [name, account, mostScanned]
    )
    return (rows as { id: string; vector: Buffer }[])
      .map((row): NearPoint => ({ id: row.id, score: cosine(row.vector, vector, dimension) }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
      .slice(0, most)
  },
  async remove(collection, ids) {
    await db('rca_vectors')
      .where({ collection })
      .whereIn('analysis_id', [...ids])
      .delete()
  }
})

const bytesOf = (vector: readonly number[]): Buffer => Buffer.from(new Float32Array(vector).buffer)

function cosine(kept: Buffer, vector: readonly number[], dimension: number): number {
  // A row's bytes need not begin where a number may.
  const values = new Float32Array(Uint8Array.from(kept).buffer)
  let sum = 0
  for (let index = 0; index < dimension; index += 1)
    sum += (values[index] ?? Number.NaN) * (vector[index] ?? Number.NaN)
  return sum
}
