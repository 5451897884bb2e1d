import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { bootError } from './errors.ts'
import type { Plugin } from './plugin.ts'

const folder = fileURLToPath(new URL('../plugins/', import.meta.url))

/** Ids of the plugins that come with the platform: the folders that have a `plugin.ts`. */
export const builtInPlugins = (): string[] =>
  readdirSync(folder)
    .filter(id => existsSync(path.join(folder, id, 'plugin.ts')))
    .sort()

/** Loads plugins by id, by path (starting with `.` or `/`) or by npm name; each default-exports `definePlugin(…)`. */
export async function loadPlugins(names: readonly string[]): Promise<Plugin[]> {
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
          `plugin '${name}' cannot be loaded: ${error instanceof Error ? error.message : String(error)}; RAYNE_PLUGINS takes ${builtInPlugins().join(', ')}, npm names and paths`,
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

/** Runs a script that comes with a plugin as a command of its own: its `main` gets the arguments. */
export const runPluginScript = async (
  id: string,
  file: string,
  args: readonly string[]
): Promise<void> => {
  await (
    (await import(pathToFileURL(path.join(folder, id, file)).href)) as {
      main(args: readonly string[]): Promise<void>
    }
  ).main(args)
}
