import {
  compile,
  readBytes,
  type Principal,
  type Static,
  type TSchema
} from '../../../core/index.ts'
import type { DatacatService } from '../service/datacat.ts'
import { parseBody } from '../wire/batch.ts'
import {
  KeysQuestion,
  MetricsQuestion,
  OptionsQuestion,
  Query,
  ValuesQuestion,
  VariableQuestion
} from '../wire/grafana.ts'
import type { AddRoute } from './add-route.ts'

// A data source asks with POST and changes nothing, so that a token which may only read is enough.
const reader = 'scope:read'
const maxBodyBytes = 1_048_576

const test: AddRoute = app =>
  app.raw('GET', '/api/grafana', { summary: 'Grafana: test the connection', auth: 'user' }, ctx => {
    ctx.status = 200
    ctx.set('content-type', 'application/json')
    ctx.body = '{"status":"ok"}'
  })

/** A post outside the plugin's prefix: schemas in, data out, as everywhere else. */
const post =
  <B extends TSchema>(
    path: string,
    summary: string,
    body: B,
    handle: (
      grafana: DatacatService['grafana'],
      body: Static<B>,
      principal: Principal
    ) => Promise<unknown>
  ): AddRoute =>
  (app, { grafana }) => {
    const check = compile(body)
    const options = { summary: `Grafana: ${summary}`, auth: reader, about: { body } } as const
    app.raw('POST', `/api/grafana${path}`, options, async (ctx, { principal }) => {
      const asked = check(parseBody(await readBytes(ctx.req, maxBodyBytes)))
      const answer = await handle(grafana, asked, principal)
      ctx.status = 200
      ctx.set('content-type', 'application/json')
      ctx.body = JSON.stringify(answer)
    })
  }

/** The contract of Grafana's JSON data source (simPod), beside the first version's export. */
export const grafanaRoutes: readonly AddRoute[] = [
  test,
  post('/metrics', 'metrics a panel can choose', MetricsQuestion, grafana => grafana.metrics()),
  post(
    '/metric-payload-options',
    'options of a field of a query',
    OptionsQuestion,
    (grafana, { name }) => grafana.options(name)
  ),
  post('/query', 'data of a panel', Query, (grafana, query, principal) =>
    grafana.query(query, principal)
  ),
  post(
    '/variable',
    'values of a variable: products, versions, metrics, sessions, or values of a state path',
    VariableQuestion,
    (grafana, { payload }) => grafana.variable(payload.target)
  ),
  post('/tag-keys', 'keys of ad hoc filters', KeysQuestion, grafana => grafana.keys()),
  post('/tag-values', 'values of an ad hoc filter', ValuesQuestion, (grafana, { key }) =>
    grafana.values(key)
  )
]
