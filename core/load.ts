import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bootError, errorText } from './errors.ts'
import type { Environment, Settings } from './config.ts'
import type { Plugin } from './plugin.ts'
import type { Tool } from './tool.ts'
import { refuseUnknownNames } from './setting-names.ts'

const folder = fileURLToPath(new URL('../plugins/', import.meta.url))

/** Ids of the plugins that come with the platform: the folders that have a `plugin.ts`. */
export const builtInPlugins = (): string[] =>
  readdirSync(folder)
    .filter(id => existsSync(path.join(folder, id, 'plugin.ts')))
    .sort()

/** Loads plugins by id, by path (starting with `.` or `/`) or by npm name; each default-exports `definePlugin(…)`. */
export async function loadPlugins(names: readonly string[] = builtInPlugins()): Promise<Plugin[]> {
  return Promise.all(
    names.map(async name => {
      const file = path.join(folder, name, 'plugin.ts')
      const where = /^[./]/.test(name)
        ? pathToFileURL(path.resolve(name)).href
        : existsSync(file)
          ? pathToFileURL(file).href
          : name
      const module = (await import(where).catch((error: unknown) => {
        throw bootError(
          `plugin '${name}' cannot be loaded: ${errorText(error)}; ` +
            `RAYNE_PLUGINS takes ${builtInPlugins().join(', ')}, npm names and paths`,
          error
        )
      })) as { default?: Plugin }
      const plugin = module.default
      if (typeof plugin?.id !== 'string' || typeof plugin.register !== 'function')
        throw bootError(
          `'${name}' does not export a plugin by default: export default definePlugin({ … })`
        )
      return plugin
    })
  )
}

/** The tool that a file exports by default. */
export async function loadTool(file: string): Promise<Tool> {
  const module = (await import(pathToFileURL(file).href)) as { default?: Tool }
  if (typeof module.default?.run !== 'function')
    throw bootError(`'${file}' does not export a tool by default: export default defineTool({ … })`)
  return module.default
}

/** The plugins of these settings, when every `RAYNE_…` name of the environment is one that something reads. */
export async function loadConfigured(
  settings: Settings,
  environment: Environment
): Promise<Plugin[]> {
  const plugins = await loadPlugins(settings.plugins)
  const absent = builtInPlugins().filter(id => !plugins.some(plugin => plugin.id === id))
  refuseUnknownNames(environment, plugins, absent)
  return plugins
}
