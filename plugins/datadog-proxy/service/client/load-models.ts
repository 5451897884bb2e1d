import { readFileSync } from 'node:fs'
import module from 'node:module'

const serializer = /datadog-api-client-v[12]\/models\/ObjectSerializer\.js$/

/**
 * Runs `load` so that the official client reads a model when it is first used. Its serializer requires all of them,
 * 777 and 6,201 files of which we use a dozen: that costs 2 s of the loop and 85 MB, this a tenth. A serializer that is
 * written otherwise is left as it is.
 */
export async function withModelsWhenUsed<T>(load: () => Promise<T>): Promise<T> {
  const hooks = module.registerHooks({
    load: (url, context, next) =>
      serializer.test(url)
        ? {
            format: 'commonjs',
            shortCircuit: true,
            source: lazy(readFileSync(new URL(url), 'utf8'))
          }
        : next(url, context)
  })
  return load().finally(() => hooks.deregister())
}

/** The same serializer with a table that requires a model when it is asked for it. */
function lazy(source: string): string {
  const requires = between(
    source,
    'exports.ObjectSerializer = void 0;\n',
    'const util_1 = require('
  )
  const table = between(source, 'const typeMap = {\n', '};\nconst oneOfMap = ')
  // One line a model in both, or the file is another one than the one this was written for.
  if (!requires || !table || linesOf(requires.text) !== linesOf(table.text)) return source
  return [
    source.slice(0, requires.start),
    source.slice(requires.end, table.start),
    '    __proto__: new Proxy({}, { get: (read, name) => read[name] ??=',
    ` ${JSON.stringify(table.text)}.includes(\`    \${String(name)}: \`)`,
    ' ? require("./" + name)[name] : undefined })\n',
    source.slice(table.end)
  ].join('')
}

function between(
  text: string,
  before: string,
  after: string
): { readonly start: number; readonly end: number; readonly text: string } | undefined {
  const found = text.indexOf(before)
  const start = found + before.length
  const end = text.indexOf(after, start)
  return found < 0 || end < 0 ? undefined : { start, end, text: text.slice(start, end) }
}

const linesOf = (text: string): number => text.split('\n').length
