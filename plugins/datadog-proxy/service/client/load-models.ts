import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const serializer = /datadog-api-client-v[12]\/models\/ObjectSerializer\.js$/
const eager = /^const \w+_1 = require\("\.\/\w+"\);$/gm
const named = /^ {4}(\w+): \1_1\.\1,$/gm

/**
 * Runs `load` so that the official client reads a model when it is first used. Its serializer requires all of them, 777
 * and 6,201 files of which we use a dozen: that costs 2.8 s of the loop and 85 MB, this 0.2 s and 20 MB. A serializer
 * that is written otherwise is left as it is.
 */
export async function withModelsWhenUsed<T>(load: () => Promise<T>): Promise<T> {
  const hooks = registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      return serializer.test(url) ? { ...loaded, source: lazy(sourceOf(url)) } : loaded
    }
  })
  return load().finally(() => hooks.deregister())
}

const sourceOf = (url: string): string => readFileSync(new URL(url), 'utf8')

/** The table of models with getters instead of values; only when nothing else in the file uses them. */
function lazy(source: string): string {
  const getters = source
    .replace(eager, '')
    .replace(named, (_, name: string) => `get ${name}() { return require("./${name}").${name} },`)
  const models = source.match(eager)?.length ?? 0
  const used = source.match(named)?.length ?? 0
  return models === used ? getters : source
}
