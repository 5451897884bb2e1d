import { Type } from '../../../core/index.ts'
import { countedColumns } from '../store/totals.ts'
import { nullable } from '../wire/schemas.ts'
import { iso } from '../wire/time.ts'
import type { AddRoute } from './add-route.ts'

const metrics: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/metrics',
    auth: 'user',
    summary: 'Metric names over all sessions',
    response: Type.Object({
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
    handle: async () => ({ metrics: await datacat.catalogue.metrics() })
  })

const products: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/products',
    auth: 'user',
    summary:
      'Products, their versions and how their sessions fare; `hung` counts those that ever were',
    response: Type.Object({
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
    handle: async () => ({ products: await datacat.catalogue.products() })
  })

const machines: AddRoute = (app, datacat) =>
  app.route({
    method: 'GET',
    path: '/machines',
    auth: 'user',
    summary: 'Machines and the sessions they had',
    response: Type.Object({
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
    async handle() {
      const found = await datacat.catalogue.machines()
      return {
        machines: found.map(({ machineId, lastSeenAt, ...one }) => ({
          machine_id: machineId,
          ...one,
          last_seen_at: iso(lastSeenAt)
        }))
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
