import { compile, errorText, Type, type Static } from '../../../../core/index.ts'
import type { Test } from '../../../../core/testing.ts'
import { startJsonServer, type Answer, type Asked } from './json-server.ts'

// The parts that are used of Qdrant's API description (docs/redoc/master/openapi.json of qdrant/qdrant, 1.19), closed:
// what it does not describe is refused.
const closed = { additionalProperties: false }
const PointId = Type.String({ format: 'uuid' })
const CreateCollection = Type.Object(
  {
    vectors: Type.Object(
      {
        size: Type.Integer({ minimum: 1, maximum: 65_536 }),
        distance: Type.Union(
          ['Cosine', 'Euclid', 'Dot', 'Manhattan'].map(name => Type.Literal(name))
        )
      },
      closed
    )
  },
  closed
)
const CreateFieldIndex = Type.Object(
  { field_name: Type.String(), field_schema: Type.Literal('keyword') },
  closed
)
const PointsList = Type.Object(
  {
    points: Type.Array(
      Type.Object(
        {
          id: PointId,
          vector: Type.Array(Type.Number()),
          payload: Type.Object({ account: Type.String() }, closed)
        },
        closed
      )
    )
  },
  closed
)
const QueryRequest = Type.Object(
  {
    query: Type.Array(Type.Number()),
    filter: Type.Object(
      {
        must: Type.Array(
          Type.Object(
            {
              key: Type.Literal('account'),
              match: Type.Object({ value: Type.String() }, closed)
            },
            closed
          )
        )
      },
      closed
    ),
    limit: Type.Integer({ minimum: 1 }),
    with_payload: Type.Boolean()
  },
  closed
)
const PointIdsList = Type.Object({ points: Type.Array(PointId) }, closed)
const read = {
  collection: compile(CreateCollection),
  index: compile(CreateFieldIndex),
  points: compile(PointsList),
  query: compile(QueryRequest),
  ids: compile(PointIdsList)
}

type Point = Static<typeof PointsList>['points'][number]
interface Kept {
  readonly size: number
  readonly points: Map<string, Point>
  readonly indexes: Set<string>
}

const ok = (result: unknown): Answer => ({
  status: 200,
  body: { usage: null, time: 0.001, status: 'ok', result }
})
const refused = (status: number, error: string): Answer => ({
  status,
  body: { time: 0.001, status: { error } }
})

/** A Qdrant in memory that refuses what its API description does not allow. */
export async function startQdrant(t: Test, apiKey = '') {
  const collections = new Map<string, Kept>()
  const server = await startJsonServer(t, asked => {
    if (apiKey !== '' && asked.headers['api-key'] !== apiKey)
      return refused(401, 'Must provide an API key or an Authorization bearer token')
    try {
      return answer(collections, asked)
    } catch (error) {
      return refused(400, `Format error in JSON body: ${errorText(error)}`)
    }
  })
  return { ...server, collections }
}

function answer(collections: Map<string, Kept>, { method, path, query, body }: Asked): Answer {
  const [, , name = '', ...rest] = path.split('/').map(decodeURIComponent)
  const operation = `${method} ${rest.join('/')}`
  const collection = collections.get(name)
  if (operation === 'GET exists') return ok({ exists: collection !== undefined })
  if (operation === 'PUT ') {
    if (collection) return refused(409, `Wrong input: Collection \`${name}\` already exists!`)
    const { vectors } = read.collection(body)
    collections.set(name, { size: vectors.size, points: new Map(), indexes: new Set() })
    return ok(true)
  }
  if (!collection) return refused(404, `Not found: Collection \`${name}\` doesn't exist!`)
  if (operation === 'POST points/query') return ok({ points: nearest(collection, body) })
  if (query.get('wait') !== 'true') return refused(400, 'these tests wait for what they write')
  if (operation === 'PUT index') collection.indexes.add(read.index(body).field_name)
  else if (operation === 'POST points/delete')
    for (const id of read.ids(body).points) collection.points.delete(id)
  else if (operation === 'PUT points')
    for (const point of read.points(body).points) {
      if (point.vector.length !== collection.size)
        return refused(400, `Wrong input: Vector dimension error: expected ${collection.size}`)
      collection.points.set(point.id, point)
    }
  else return refused(404, 'no such operation')
  return ok({ operation_id: 0, status: 'completed' })
}

function nearest({ points, indexes }: Kept, body: unknown): unknown[] {
  const { query, filter, limit } = read.query(body)
  const account = filter.must[0]?.match.value
  if (!indexes.has('account')) throw new Error('the field account has no index')
  return [...points.values()]
    .filter(({ payload }) => payload.account === account)
    .map(({ id, vector }) => ({
      id,
      version: 0,
      score: vector.reduce((sum, value, index) => sum + value * (query[index] ?? 0), 0)
    }))
    .sort((a, b) => b.score - a.score)
    .slice(0, limit)
}
