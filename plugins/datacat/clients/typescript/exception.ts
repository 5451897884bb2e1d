import { byteLength, cutText } from './size.ts'
import type { ExceptionInfo } from './wire.ts'

// The server takes a megabyte, and a stack is sent twice: for its own readers and for the first version's.
const maxBytes = { stack: 150_000, message: 20_000, line: 4_000 } as const
const maxErrors = 50
const clean = (text: string, bytes: number): string => cutText(text.replaceAll('\0', ''), bytes)

/**
 * Anything thrown as the server keeps it: its class, its text, the stack with those of its causes and
 * of the errors it gathers, with their codes, and where it was thrown.
 */
export function describeException(thrown: unknown): ExceptionInfo {
  const { name, text } = nameAndText(thrown)
  const stacktrace = shorten(stackOf(thrown).map(line => clean(line, maxBytes.line)))
  return {
    type: clean(name, 1_000),
    message: clean(text, maxBytes.message),
    stacktrace,
    ...placeOf(stacktrace)
  }
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

/** Leaves out the middle of what is too long: where it was thrown and what caused it are at the ends. */
function shorten(lines: string[]): string[] {
  let bytes = lines.reduce((sum, line) => sum + byteLength(JSON.stringify(line)), 0)
  while (bytes > maxBytes.stack) {
    const [left = ''] = lines.splice(Math.floor(lines.length / 2), 1)
    bytes -= byteLength(JSON.stringify(left))
  }
  return lines
}

/** One error, then its cause, then the errors it gathers; each once. */
function stackOf(thrown: unknown): string[] {
  const lines: string[] = []
  const seen = new Set<unknown>()
  const waiting: (readonly [string, unknown])[] = [['', thrown]]
  for (let next = waiting.shift(); next && seen.size < maxErrors; next = waiting.shift()) {
    const [role, error] = next
    if (seen.has(error)) continue
    if (!(error instanceof Error)) {
      if (role !== '') lines.push(`${role}${textOf(error)}`)
      continue
    }
    seen.add(error)
    lines.push(`${role}${headOf(error)}`, ...framesOf(error))
    if (error.cause !== undefined) waiting.push(['Caused by: ', error.cause])
    const { errors } = error as { errors?: unknown }
    if (Array.isArray(errors))
      for (const one of errors.slice(0, maxErrors)) waiting.push(['One of: ', one])
  }
  return lines
}

/** What the stack says before its frames, and the code when it does not say it. */
function headOf(error: Error): string {
  const { code } = error as { code?: unknown }
  const text = stackText(error)
  const frames = text.search(/\n[ \t]{1,40}at /)
  const head =
    frames < 0 || !text.startsWith(error.name)
      ? `${error.name}: ${error.message}`
      : text.slice(0, frames)
  const isNew =
    (typeof code === 'string' || typeof code === 'number') && !head.includes(String(code))
  return isNew ? `${clean(head, maxBytes.line - 100)} [${String(code).slice(0, 80)}]` : head
}

const stackText = ({ stack }: Error): string => (typeof stack === 'string' ? stack : '')

// V8 writes `at name (file:line:column)`, Firefox and Safari `name@file:line:column`.
const frames = [/^\s*at (?:async )?(?:(.+?) \()?(.+?):(\d+):\d+\)?$/, /^([^@]*)@(.+):(\d+):\d+$/]

/** The frames of the stack, whose message may have lines of its own before them. */
function framesOf(error: Error): string[] {
  const text = stackText(error)
  const start = text.indexOf(error.message)
  const after = error.message !== '' && start >= 0 ? text.slice(start + error.message.length) : text
  return after
    .split('\n')
    .filter(line => /^\s+at /.test(line) || frames[1]?.test(line.slice(0, 2_000)))
}

function placeOf(lines: readonly string[]): { file?: string; line?: number; function?: string } {
  for (const line of lines) {
    if (line.length > 2_000) continue
    const [, name, file, at] = frames.map(frame => frame.exec(line)).find(Boolean) ?? []
    if (file !== undefined && at !== undefined)
      return { file, line: Number(at), ...(name ? { function: name } : {}) }
  }
  return {}
}
