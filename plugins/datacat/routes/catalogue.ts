import { Type } from '../../../core/index.ts'
import { countedColumns } from '../store/totals.ts'
import { closed, nullable } from '../wire/schemas.ts'
import { iso } from '../wire/time.ts'
import type { AddRoute } from './add-route.ts'

const Some = Type.Object(
  { limit: Type.Integer({ minimum: 1, maximum: 10_000, default: 1_000 }) },
  closed
)
const HasMore = Type.Boolean({ description: 'whether there are more than `limit`' })

const metrics: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/metrics',
    auth: 'user',
    summary: 'Metric names over all sessions',
    query: Some,
    response: Type.Object({
      more: HasMore,
      metrics: Type.Array(
        Type.Object({
          name: Type.String(),
          type: Type.String(),
          unit: nullable(Type.String()),
          sessions: Type.Integer(),
          points: Type.Integer()
        })
      )
    }),
    async handle({ query: { limit } }) {
      const { items, more } = await datacat.catalogue.metrics(limit)
      return { metrics: [...items], more }
    }
  })

const products: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/products',
    auth: 'user',
    summary:
      'Products, their versions and how their sessions fare; `hung` counts those that ever were',
    query: Some,
    response: Type.Object({
      more: HasMore,
      products: Type.Array(
        Type.Object({
          product: Type.String(),
          versions: Type.Array(Type.String()),
          sessions: Type.Integer(),
          active: Type.Integer(),
          hung: Type.Integer(),
          crashed: Type.Integer()
        })
      )
    }),
    async handle({ query: { limit } }) {
      const { items, more } = await datacat.catalogue.products(limit)
      return { products: [...items], more }
    }
  })

const machines: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/machines',
    auth: 'user',
    summary: 'Machines and the sessions they had',
    query: Some,
    response: Type.Object({
      more: HasMore,
      machines: Type.Array(
        Type.Object({
          machine_id: Type.String(),
          hostname: nullable(Type.String()),
          sessions: Type.Integer(),
          active: Type.Integer(),
          last_seen_at: Type.String()
        })
      )
    }),
    async handle({ query: { limit } }) {
      const { items, more } = await datacat.catalogue.machines(limit)
      return {
        machines: items.map(({ machineId, lastSeenAt, ...one }) => ({
          machine_id: machineId,
          ...one,
          last_seen_at: iso(lastSeenAt)
        })),
        more
      }
    }
  })

const stats: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/stats',
    auth: 'user',
    summary: 'Totals over all sessions',
    response: Type.Object(
      Object.fromEntries(countedColumns.map(column => [column, Type.Integer()]))
    ),
    handle: () => datacat.catalogue.totals()
  })

/** What there is, over all sessions. */
export const catalogueRoutes: readonly AddRoute[] = [metrics, products, machines, stats]
