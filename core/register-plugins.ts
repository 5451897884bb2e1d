import { readPluginConfig } from './config.ts'
import { bootError, errorText } from './errors.ts'
import { within } from './lifecycle.ts'
import { createPluginApp, type Wiring } from './plugin-app.ts'
import type { Plugin } from './plugin.ts'
import { secondMs } from './time.ts'

const registerMs = 10_000

/** Registers plugins one after another and says how long each took, in milliseconds. */
export async function registerPlugins(
  plugins: readonly Plugin[],
  wiring: Wiring
): Promise<Record<string, number>> {
  const timings: Record<string, number> = {}
  for (const plugin of plugins) {
    const started = performance.now()
    try {
      await registerPlugin(plugin, wiring)
    } catch (error) {
      if (!plugin.optional) throw error
      leaveOut(plugin, error, wiring)
    }
    timings[plugin.id] = Math.round(performance.now() - started)
  }
  return timings
}

/** Registers one plugin within 10 s and checks that it provides what it promises. */
export async function registerPlugin(plugin: Plugin, wiring: Wiring): Promise<void> {
  await within(
    register(plugin, wiring),
    registerMs,
    `plugin '${plugin.id}' did not register within ${registerMs / secondMs} s; ` +
      'register may use the database and nothing else remote'
  )
  const missing = plugin.provides?.find(token => !wiring.services.has(token))
  if (missing)
    throw bootError(`plugin '${plugin.id}' promises '${missing.id}' and did not provide it`)
}

async function register(plugin: Plugin, wiring: Wiring): Promise<void> {
  const absent = Object.values(plugin.needs ?? {}).find(token => !wiring.services.has(token))
  if (absent)
    throw bootError(`plugin '${plugin.id}' needs '${absent.id}', whose plugin was left out`)
  const config = readPluginConfig(plugin.id, plugin.config, wiring.environment)
  const services = wiring.services.resolve({ ...plugin.needs, ...plugin.wants })
  await plugin.register(createPluginApp(plugin, config, wiring), services)
}

function leaveOut(plugin: Plugin, error: unknown, wiring: Wiring): void {
  wiring.log.error({ error, plugin: plugin.id }, 'optional plugin left out')
  wiring.health.add(`plugin:${plugin.id}`, {
    required: false,
    local: true,
    run: () => Promise.resolve({ ok: false, detail: `left out: ${errorText(error)}` })
  })
}
