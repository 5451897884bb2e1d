import { compile, RayneError, Type } from '../../../../core/index.ts'
import { askJson, unavailable } from './ask-json.ts'
import type { Collection, VectorStore } from './vector-store.ts'

const readExists = compile(Type.Object({ result: Type.Object({ exists: Type.Boolean() }) }))
const readFound = compile(
  Type.Object({
    result: Type.Object({
      points: Type.Array(Type.Object({ id: Type.String(), score: Type.Number() }))
    })
  })
)

const isNotThere = (error: unknown): boolean => error instanceof RayneError && error.status === 404

/** Vectors in Qdrant (REST API, 1.10 or later): a collection a model and length, searched within one account. */
export function createQdrant({ url, apiKey }: { url: string; apiKey: string }): VectorStore {
  const service = { name: 'Qdrant', url, headers: apiKey === '' ? {} : { 'api-key': apiKey } }
  const ready = new Set<string>()
  const pathOf = (collection: string): string => `/collections/${encodeURIComponent(collection)}`

  /** True when it had to be made. */
  async function ensure({ name, dimension }: Collection, signal: AbortSignal): Promise<boolean> {
    if (ready.has(name)) return false
    const path = pathOf(name)
    const found = await askJson(service, 'GET', `${path}/exists`, undefined, signal)
    const isNew = !understood(() => readExists(found, 'answer').result.exists)
    if (isNew) {
      const vectors = { size: dimension, distance: 'Cosine' }
      await askJson(service, 'PUT', path, { vectors }, signal).catch((error: unknown) => {
        // Another process was faster.
        if (!(error instanceof RayneError) || error.status !== 409) throw error
      })
      const index = { field_name: 'account', field_schema: 'keyword' }
      await askJson(service, 'PUT', `${path}/index?wait=true`, index, signal)
    }
    ready.add(name)
    return isNew
  }
  return {
    name: 'qdrant',
    async put(collection, points, signal) {
      const body = {
        points: points.map(({ id, account, vector }) => ({
          id,
          vector,
          payload: { account: account ?? '' }
        }))
      }
      const write = async (): Promise<boolean> => {
        const isNew = await ensure(collection, signal)
        const path = `${pathOf(collection.name)}/points?wait=true`
        await askJson(service, 'PUT', path, body, signal)
        return isNew
      }
      return write().catch((error: unknown) => {
        // Somebody deleted it since.
        if (!isNotThere(error) || !ready.delete(collection.name)) throw error
        return write()
      })
    },
    async nearest({ name }, { account, vector, most }, signal) {
      const body = {
        query: vector,
        filter: { must: [{ key: 'account', match: { value: account ?? '' } }] },
        limit: most,
        with_payload: false
      }
      try {
        const path = `${pathOf(name)}/points/query`
        const found = await askJson(service, 'POST', path, body, signal)
        const { points } = understood(() => readFound(found, 'answer').result)
        return points.slice(0, most).map(({ id, score }) => ({ id, score }))
      } catch (error) {
        if (isNotThere(error)) return []
        throw error
      }
    },
    async remove(collection, ids, signal) {
      const path = `${pathOf(collection)}/points/delete?wait=true`
      await askJson(service, 'POST', path, { points: ids }, signal).catch((error: unknown) => {
        if (!isNotThere(error)) throw error
      })
    }
  }
}

function understood<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw unavailable('Qdrant answered something else than it was asked for', 502, error)
  }
}
