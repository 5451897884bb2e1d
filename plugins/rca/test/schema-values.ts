import type { TSchema } from '../../../core/index.ts'

/** One text in a value of a schema: its path, and the value with another text in its place. */
export interface TextField {
  readonly path: string
  readonly put: (text: string) => unknown
}

/** What is read of a JSON Schema here. */
interface Shape {
  readonly type?: string
  readonly const?: unknown
  readonly anyOf?: readonly Shape[]
  readonly items?: Shape
  readonly properties?: Readonly<Record<string, Shape>>
  readonly patternProperties?: Readonly<Record<string, Shape>>
}

/** Which member of each union a value takes, by the union's path; the first that is not null unless said. */
export type Choices = Readonly<Record<string, number>>

const chosen = (shape: Shape, path: string, choices: Choices): Shape => {
  const members = shape.anyOf?.filter(member => member.type !== 'null')
  if (!members) return shape
  return chosen(members[(choices[path] ?? 0) % members.length] ?? {}, path, choices)
}

/** A value of a schema: every field is there, every list has one item, and every text is `text`. */
export function valueOf(schema: TSchema, text: string, choices: Choices = {}): unknown {
  const build = (given: Shape, path: string): unknown => {
    const shape = chosen(given, path, choices)
    if ('const' in shape) return shape.const
    if (shape.type === 'string') return text
    if (shape.type === 'number' || shape.type === 'integer') return 1
    if (shape.type === 'boolean') return true
    if (shape.type === 'array') return [build(shape.items ?? {}, `${path}/0`)]
    if (shape.type !== 'object') throw new Error(`${path}: no value for ${JSON.stringify(shape)}`)
    const fields = Object.entries(shape.properties ?? {}).map(([key, each]) => [key, each] as const)
    const named = Object.values(shape.patternProperties ?? {}).map(each => [text, each] as const)
    return Object.fromEntries(
      [...fields, ...named].map(([key, each]) => [key, build(each, `${path}/${key}`)])
    )
  }
  return build(schema, '')
}

/** Every text in a value, keys of records among them, so that a field that is new in its schema is covered. */
export function textFields(value: unknown, text: string): TextField[] {
  const walk = (at: unknown, path: string, put: (part: unknown) => unknown): TextField[] => {
    if (at === text) return [{ path, put }]
    if (Array.isArray(at))
      return at.flatMap((item, n) => walk(item, `${path}/${n}`, part => put(at.with(n, part))))
    if (typeof at !== 'object' || at === null) return []
    return Object.entries(at).flatMap(([key, item]) => {
      const rest = Object.fromEntries(Object.entries(at).filter(([other]) => other !== key))
      const inside = walk(item, `${path}/${key}`, part => put({ ...at, [key]: part }))
      if (key !== text) return inside
      return [
        { path: `${path}/{key}`, put: (part: string) => put({ ...rest, [part]: item }) },
        ...inside
      ]
    })
  }
  return walk(value, '', part => part)
}
