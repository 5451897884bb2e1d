import { Type, type TSchema } from 'typebox'
import type { Wiring } from './app.ts'
import type { JobContext, JobHandle } from './jobs.ts'
import type { Plugin, PluginApp } from './plugin.ts'

/** Job handles by event id: one for each subscriber. */
export type Subscriptions = Map<string, JobHandle<never>[]>

/** The platform as one plugin sees it: everything it registers carries its name. */
export function createPluginApp<C>(plugin: Plugin, config: unknown, wiring: Wiring): PluginApp<C> {
  const { router, jobs, subscriptions } = wiring
  const prefix = plugin.prefix ?? `/v1/${plugin.id}`
  const log = wiring.log.child({ plugin: plugin.id })
  return {
    config: config as C,
    log,
    db: wiring.db,
    provide: (token, service) => wiring.services.provide(plugin.id, token, service),
    route: spec => router.route(plugin.id, prefix, spec as never),
    raw: (method, path, options, handler) => router.raw(plugin.id, method, path, options, handler),
    job: (name, spec) => jobs.define(`${plugin.id}.${name}`, spec),
    schedule: (name, cron, run) => {
      jobs.define(
        `${plugin.id}.${name}`,
        { payload: Type.Object({}), run: (_payload, context: JobContext) => run(context) },
        cron
      )
    },
    async emit(trx, event, ...payloads) {
      for (const subscriber of subscriptions.get(event.id) ?? [])
        await subscriber.enqueueAll(trx, payloads as never[])
    },
    on(event, handler) {
      const handle = jobs.define<TSchema>(`on.${event.id}.${plugin.id}`, {
        payload: event.payload,
        concurrency: 8,
        run: (payload, context) => handler(payload as never, context)
      })
      subscriptions.set(event.id, [
        ...(subscriptions.get(event.id) ?? []),
        handle as JobHandle<never>
      ])
    },
    tool: definition => wiring.tools.register(plugin.id, definition),
    check: (name, probe) => wiring.health.add(name, probe),
    onReady: hook => {
      wiring.hooks.ready.push(hook)
    },
    onClose: hook => {
      wiring.opened.push({ name: plugin.id, close: hook })
    }
  }
}
