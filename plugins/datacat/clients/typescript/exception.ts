import type { ExceptionInfo } from './wire.ts'

// The server takes more; nobody reads more.
const [mostLines, longestText] = [200, 20_000] as const
const clean = (text: string): string => text.replaceAll('\0', '').slice(0, longestText)

/**
 * Anything thrown as the server keeps it: its class, its text, the stack with those of its causes,
 * and where it was thrown.
 */
export function describeException(thrown: unknown): ExceptionInfo {
  const { name, text } = nameAndText(thrown)
  const stacktrace = stackOf(thrown).slice(0, mostLines).map(clean)
  return { type: clean(name), message: clean(text), stacktrace, ...placeOf(stacktrace) }
}

function nameAndText(thrown: unknown): { name: string; text: string } {
  if (!(thrown instanceof Error))
    return { name: thrown === null ? 'null' : typeof thrown, text: textOf(thrown) }
  const name =
    [thrown.name, thrown.constructor.name].find(
      one => typeof one === 'string' && one !== '' && one !== 'Error'
    ) ?? 'Error'
  return { name: name.slice(0, 256), text: String(thrown.message) }
}

const textOf = (thrown: unknown): string => {
  try {
    return typeof thrown === 'object' && thrown !== null ? JSON.stringify(thrown) : String(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}

function stackOf(thrown: unknown): string[] {
  const lines: string[] = []
  const seen = new Set<unknown>()
  for (let error = thrown; error instanceof Error && !seen.has(error); error = error.cause) {
    const [first = '', ...rest] = (error.stack ?? `${error.name}: ${error.message}`).split('\n')
    lines.push(seen.size === 0 ? first : `Caused by: ${first}`, ...rest)
    seen.add(error)
  }
  return lines
}

// V8 writes `at name (file:line:column)`, Firefox and Safari `name@file:line:column`.
const frames = [/^\s*at (?:async )?(?:(.+?) \()?(.+?):(\d+):\d+\)?$/, /^(.*?)@(.+?):(\d+):\d+$/]

function placeOf(lines: readonly string[]): { file?: string; line?: number; function?: string } {
  for (const line of lines) {
    const [, name, file, at] = frames.map(frame => frame.exec(line)).find(Boolean) ?? []
    if (file !== undefined && at !== undefined)
      return { file, line: Number(at), ...(name ? { function: name } : {}) }
  }
  return {}
}
