import type { Knex } from 'knex'
import { Type, type Static } from 'typebox'
import { notFound } from './errors.ts'
import type { HttpRouter } from './http/router.ts'
import type { Jobs } from './jobs.ts'
import { redact } from './redact.ts'
import { defineRoute, type Route } from './route.ts'

const states = ['created', 'retry', 'active', 'completed', 'cancelled', 'failed'] as const
const Job = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: Type.String(),
  attempt: Type.Integer(),
  created_at: Type.String(),
  completed_at: Type.Union([Type.String(), Type.Null()]),
  error: Type.Union([Type.String(), Type.Null()])
})

/** What jobs may be asked for, by the route and by `rayne jobs`. */
export const JobQuery = Type.Object(
  {
    state: Type.Optional(Type.Union(states.map(state => Type.Literal(state)))),
    name: Type.Optional(Type.String({ maxLength: 200, pattern: '^[^\\x00]*$' })),
    page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 100, default: 50 })
  },
  { additionalProperties: false }
)

/** Jobs as rows, newest first; payloads are left out because they may carry what alerts carry. */
export async function listJobs(db: Knex, { state, name, page, per_page }: Static<typeof JobQuery>) {
  const rows = db('jobs.job')
    .where(q => {
      if (state) q.where({ state })
      if (name) q.where({ name })
    })
    .whereRaw("name not like '\\_\\_pgboss%'")
  const [count] = await rows.clone().count({ total: '*' })
  const jobs = await rows
    .orderBy([{ column: 'created_on', order: 'desc' }, { column: 'id' }])
    .offset((page - 1) * per_page)
    .limit(per_page)
    .select('id', 'name', 'state', 'retry_count', 'created_on', 'completed_on', 'output')
  return {
    jobs: jobs.map(row => ({
      id: row.id,
      name: row.name,
      state: row.state,
      attempt: row.retry_count + 1,
      created_at: row.created_on.toISOString(),
      completed_at: row.completed_on?.toISOString() ?? null,
      error: row.output?.message
        ? redact(String(row.output.message))
        : (row.output?.value?.message ?? null)
    })),
    total_count: Number(count?.['total']),
    page,
    per_page
  }
}

/** Puts a failed job back in line; throws 404 when there is none. */
export async function retryJob(
  db: Knex,
  jobs: Jobs,
  id: string
): Promise<{ id: string; name: string }> {
  const row = await db('jobs.job').where({ id, state: 'failed' }).first('name')
  if (!row) throw notFound('job', `${id} that failed`, 'GET /v1/jobs?state=failed')
  await jobs.boss.retry(row.name, id)
  return { id, name: row.name }
}

export function jobRoutes(router: HttpRouter, db: Knex, jobs: Jobs): void {
  for (const route of [list(db), retry(db, jobs)]) router.route('core', '/v1/jobs', route)
}

const list = (db: Knex): Route =>
  defineRoute({
    method: 'GET',
    path: '',
    auth: 'user',
    summary: 'Durable jobs, newest first',
    query: JobQuery,
    response: Type.Object({
      jobs: Type.Array(Job),
      total_count: Type.Integer(),
      page: Type.Integer(),
      per_page: Type.Integer()
    }),
    handle: ({ query }) => listJobs(db, query)
  })

const retry = (db: Knex, jobs: Jobs): Route =>
  defineRoute({
    method: 'POST',
    path: '/{id}/retry',
    auth: 'admin',
    summary: 'Run a failed job again',
    params: Type.Object({ id: Type.String({ format: 'uuid' }) }),
    response: Type.Object({ id: Type.String(), name: Type.String() }),
    status: 202,
    also: { 404: 'no failed job has this id' },
    handle: ({ params }) => retryJob(db, jobs, params.id)
  })
