import type { Knex } from 'knex'
import { Type } from 'typebox'
import type { Commands } from './command.ts'
import type { Environment } from './config.ts'
import type { Statements } from './db/statements.ts'
import type { Events } from './events.ts'
import type { Health } from './health.ts'
import type { HttpRouter } from './http/router.ts'
import type { Jobs } from './jobs.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Logger } from './log.ts'
import type { Plugin, PluginApp } from './plugin.ts'
import type { Services } from './services.ts'
import type { Toolbox, ToolRegistry } from './tool.ts'

/** Everything the registration of plugins writes to. */
export interface Wiring {
  readonly environment: Environment
  readonly log: Logger
  readonly db: Knex
  readonly openPool: (maxConnections: number) => Knex
  readonly router: Pick<HttpRouter, 'route' | 'raw'>
  readonly jobs: Pick<Jobs, 'define'>
  readonly services: Services
  readonly tools: Pick<ToolRegistry, 'register'>
  readonly toolbox: Toolbox
  readonly commands: Commands
  readonly health: Pick<Health, 'add'>
  readonly lifecycle: Pick<Lifecycle, 'opens'>
  /** Run when all plugins are registered. */
  readonly readyHooks: (() => Promise<void> | void)[]
  readonly events: Events
  readonly statements: Pick<Statements, 'define'>
}

/** The platform as one plugin sees it: everything it registers carries its name. */
export function createPluginApp(
  plugin: Plugin,
  config: unknown,
  wiring: Wiring
): PluginApp<unknown> {
  const { router, jobs, events, statements, lifecycle } = wiring
  const { id, prefix = `/v1/${id}` } = plugin
  return {
    config,
    log: wiring.log.child({ plugin: id }),
    db: wiring.db,
    pool(maxConnections) {
      const pool = wiring.openPool(maxConnections)
      lifecycle.opens(`${id}: pool`, () => pool.destroy())
      return pool
    },
    statement: (name, text) => statements.define(name, text),
    provide: (token, service) => wiring.services.provide(id, token, service),
    route: spec => router.route(id, prefix, spec),
    raw: (method, path, words, handler) => router.raw(id, method, path, words, handler),
    job: (name, spec) => jobs.define(`${id}.${name}`, spec),
    schedule: (name, cron, run) => {
      const payload = Type.Object({})
      jobs.define(`${id}.${name}`, { payload, run: (_payload, context) => run(context) }, cron)
    },
    emit: (trx, event, ...payloads) => events.emit(trx, event, payloads),
    on: (event, run) => events.on(id, event, run),
    keep: (event, read) => events.keep(event, read),
    tool: definition => wiring.tools.register(id, definition),
    toolbox: wiring.toolbox,
    check: (name, probe) => wiring.health.add(name, probe),
    command: spec => wiring.commands.add(id, spec),
    onReady: hook => {
      wiring.readyHooks.push(hook)
    },
    onClose: hook => lifecycle.opens(id, hook)
  }
}
