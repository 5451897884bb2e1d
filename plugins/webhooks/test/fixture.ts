import { readdirSync, readFileSync } from 'node:fs'

/** One webhook body with the result that a reader of the specification expects. */
export interface Fixture {
  readonly name: string
  readonly axis: string
  /**
   * The body as text; or `base64`; or `parts`, each a text and how often it comes, then `keys` numbered members and
   * a `tail`; or `many` tags.
   */
  readonly body?: string
  readonly base64?: string
  readonly parts?: readonly (readonly [string, number])[]
  readonly keys?: number
  readonly tail?: string
  readonly many?: number
  readonly headers: Record<string, string | string[] | undefined>
  /** Part of the alert; `{ $match }` is a regular expression, `{ $length }` a length. */
  readonly expect: Readonly<Record<string, unknown>>
  /** Part of the decoded payload. */
  readonly fields?: Readonly<Record<string, unknown>>
}

const folder = new URL('./fixtures/', import.meta.url)

/** Every fixture of every axis. */
export const fixtures: readonly Fixture[] = readdirSync(folder)
  .filter(name => name.endsWith('.json'))
  .toSorted()
  .flatMap(name => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Fixture[])

/** The bytes a fixture stands for. */
export function bytesOf({
  body,
  base64,
  parts,
  keys = 0,
  tail = '',
  many
}: Omit<Fixture, 'name'>): Buffer {
  if (base64 !== undefined) return Buffer.from(base64, 'base64')
  if (many !== undefined)
    return Buffer.from(
      JSON.stringify({ tags: Array.from({ length: many }, (_, at) => `tag-${at}:v`).join(', ') })
    )
  if (parts === undefined) return Buffer.from(body ?? '')
  const members = Array.from({ length: keys }, (_, at) => `,"${at}":1`).join('')
  return Buffer.from(parts.map(([text, times]) => text.repeat(times)).join('') + members + tail)
}
