import { distance } from 'fastest-levenshtein'
import { ProcessSettings, settingName, type Environment } from './config.ts'
import { bootError } from './errors.ts'
import type { Plugin } from './plugin.ts'

// Read by commands, and by the tests of the platform; neither is a setting of the server.
const others = /^RAYNE_(TOKEN$|TEST_)/

/**
 * Refuses a `RAYNE_…` name that nothing reads, and says which known ones are nearest. `absent` are plugins that exist
 * and are not loaded: their settings may stand in an environment that several processes share.
 */
export function refuseUnknownNames(
  environment: Environment,
  plugins: readonly Pick<Plugin, 'id' | 'config'>[],
  absent: readonly string[]
): void {
  const known = new Set([
    ...Object.keys(ProcessSettings.properties),
    ...plugins.flatMap(({ id, config }) =>
      Object.entries(config?.properties ?? {}).flatMap(([key, schema]) => [
        settingName(id, key),
        ...((schema as { env?: readonly string[] }).env ?? [])
      ])
    )
  ])
  const unknown = Object.keys(environment).find(
    name =>
      name.startsWith('RAYNE_') &&
      environment[name] !== '' &&
      !known.has(name) &&
      !others.test(name) &&
      !absent.some(id => name.startsWith(settingName(id, '')))
  )
  if (unknown === undefined) return
  const nearest = [...known]
    .filter(name => name.startsWith('RAYNE_'))
    .sort((a, b) => distance(unknown, a) - distance(unknown, b))
    .slice(0, 3)
  throw bootError(
    `${unknown} is no setting of Rayne or of a loaded plugin; near it are ${nearest.join(', ')}`
  )
}
