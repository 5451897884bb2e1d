import { defineRoute, Type, type KeptEvent, type Knex, type Route } from '../../../core/index.ts'
import type { EventLinks } from '../contract.ts'
import { maxConcurrentAlerts, queueStore } from '../store/queues.ts'

/** What the figures are read from. */
export interface FigureRoutes {
  readonly db: Knex
  readonly received: KeptEvent
  readonly links: EventLinks | undefined
}

// As many webhooks may wait for the database before the next one is answered 503.
const queueCapacity = 5_000

/** The first version's figures of who takes alerts, and how far that is. */
export const figureRoutes = ({ db, received, links }: FigureRoutes): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/webhooks/processors',
    auth: 'user',
    summary: 'The plugins that are told of every webhook',
    response: Type.Object({ processors: Type.Array(Type.String()), count: Type.Integer() }),
    handle() {
      const processors = received.queues().map(queue => queue.slice(queue.lastIndexOf('.') + 1))
      return { processors, count: processors.length }
    }
  }),
  defineRoute({
    method: 'GET',
    path: '/webhooks/dispatcher/stats',
    auth: 'user',
    summary: 'How many webhooks wait to be handled, are, and were within a week',
    response: Type.Object({
      queue_size: Type.Integer(),
      queue_capacity: Type.Integer(),
      active_workers: Type.Integer(),
      total_workers: Type.Integer(),
      processed_count: Type.Integer(),
      error_count: Type.Integer(),
      dropped_count: Type.Integer({ description: 'none ever is' })
    }),
    async handle() {
      const { waiting, active, done, failed } = await queueStore.counts(db, received.queues())
      return {
        queue_size: waiting,
        queue_capacity: queueCapacity,
        active_workers: active,
        total_workers: received.queues().length * maxConcurrentAlerts,
        processed_count: done,
        error_count: failed,
        dropped_count: 0
      }
    }
  }),
  defineRoute({
    method: 'GET',
    path: '/agents/stats',
    auth: 'user',
    summary: 'How many analyses run, have ended and have failed',
    response: Type.Object({
      active_analyses: Type.Integer(),
      max_concurrent: Type.Integer({ description: 'in one process; 0 where nothing analyses' }),
      total_processed: Type.Integer(),
      total_errors: Type.Integer(),
      registered_agents: Type.Integer(),
      sub_agents: Type.Array(Type.String())
    }),
    async handle() {
      const counts = await links?.counts()
      const [running = 0, done = 0, failed = 0] = (['running', 'done', 'failed'] as const).map(
        status => counts?.get(status)
      )
      return {
        active_analyses: running,
        max_concurrent: links?.maxConcurrent ?? 0,
        total_processed: done + failed,
        total_errors: failed,
        registered_agents: links ? 1 : 0,
        sub_agents: []
      }
    }
  })
]
