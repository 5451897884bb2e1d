import { randomUUID } from 'node:crypto'
import type { Operation } from '../http/operation.ts'

/** As much of JSON Schema as a sample is made of. */
export interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly minimum?: number
  readonly minLength?: number
  readonly pattern?: string
  readonly format?: string
}
type Place = 'path' | 'query' | 'body'

/** A parameter of an operation, wherever it is: `at` are the names that lead to it. */
export interface Parameter {
  readonly place: Place
  readonly at: readonly (string | number)[]
  readonly schema: Schema
}
export interface Sample {
  readonly path: Readonly<Record<string, unknown>>
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}

const texts = ['sample', '1', 'a'.repeat(12), 'now', 'now-1h', '2026-01-02T03:04:05Z', 'env:prod']
const formats: Readonly<Record<string, string>> = {
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  uri: 'https://example.com/a'
}

function text({ format, pattern, minLength = 0 }: Schema): string {
  if (format === 'uuid') return randomUUID()
  const known = formats[format ?? '']
  if (known !== undefined) return known
  const fits = (one: string): boolean =>
    one.length >= minLength && (pattern === undefined || new RegExp(pattern, 'u').test(one))
  return [...texts, randomUUID(), ...texts.map(one => one.repeat(4))].find(fits) ?? 'sample'
}

/** A value a schema allows, of required members only. */
function sampleOf(schema: Schema, name = ''): unknown {
  if (schema.const !== undefined) return schema.const
  if (schema.default !== undefined) return schema.default
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sampleOf(schema.anyOf[0] ?? {})
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0]
  // What ends something lies ahead.
  if (type === 'string') return name === 'to' ? '2099-01-02T03:04:05Z' : text(schema)
  if (type === 'integer' || type === 'number') return Math.max(1, schema.minimum ?? 1)
  if (type === 'boolean') return true
  if (type === 'null') return null
  if (type === 'array')
    return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () =>
      sampleOf(schema.items ?? {})
    )
  return Object.fromEntries(
    (schema.required ?? []).map(key => [key, sampleOf(schema.properties?.[key] ?? {}, key)])
  )
}

const queryOf = ({ spec, about }: Operation): Schema =>
  (about?.query ?? spec?.query ?? {}) as Schema
const bodyOf = ({ spec, about }: Operation): Schema | undefined =>
  (about?.body ?? spec?.body) as Schema | undefined

function pathOf({ path, spec }: Operation): Readonly<Record<string, Schema>> {
  const { properties = {} } = (spec?.params ?? {}) as Schema
  return Object.fromEntries(
    [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => [
      name,
      properties[name] ?? { type: 'string' }
    ])
  )
}

export function sampleRequest(operation: Operation): Sample {
  const body = bodyOf(operation)
  return {
    path: Object.fromEntries(
      Object.entries(pathOf(operation)).map(([name, schema]) => [name, sampleOf(schema)])
    ),
    query: sampleOf({ ...queryOf(operation), type: 'object' }) as Record<string, unknown>,
    body: body && sampleOf(body)
  }
}

/** Every parameter of an operation, those inside of bodies too. */
export function parametersOf(operation: Operation): Parameter[] {
  const flat = (place: Place, properties: Readonly<Record<string, Schema>> = {}): Parameter[] =>
    Object.entries(properties).map(([name, schema]) => ({ place, at: [name], schema }))
  const body = bodyOf(operation)
  return [
    ...flat('path', pathOf(operation)),
    ...flat('query', queryOf(operation).properties),
    ...(body ? below(body, [], 0) : [])
  ]
}

function below(schema: Schema, at: readonly (string | number)[], depth: number): Parameter[] {
  const own: Parameter[] = at.length === 0 ? [] : [{ place: 'body', at, schema }]
  if (depth > 4) return own
  return [
    ...own,
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
      below(each, [...at, name], depth + 1)
    ),
    ...(schema.items ? below(schema.items, [...at, 0], depth + 1) : []),
    ...(schema.anyOf ?? []).flatMap(each => below(each, at, depth + 1).slice(1))
  ]
}

/** A sample with one value put in; whatever leads to it is made. */
export function withValue(sample: Sample, { place, at }: Parameter, value: unknown): Sample {
  return { ...sample, [place]: put(sample[place], at, value) }
}

function put(holder: unknown, at: readonly (string | number)[], value: unknown): unknown {
  const [name, ...rest] = at
  if (name === undefined) return value
  if (typeof name === 'number') {
    const list = Array.isArray(holder) ? [...holder] : []
    list[name] = put(list[name], rest, value)
    return list
  }
  const object =
    typeof holder === 'object' && holder !== null && !Array.isArray(holder) ? holder : {}
  return { ...object, [name]: put((object as Record<string, unknown>)[name], rest, value) }
}

const asText = (value: unknown): string =>
  typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)

/** Where and how a sample is sent. */
export function addressOf({ path, method }: Operation, sample: Sample) {
  const filled = path
    .replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(asText(sample.path[name])))
    .replace('*rest', 'rest')
  const query = Object.entries(sample.query)
    .map(([name, value]) => `${name}=${encodeURIComponent(asText(value))}`)
    .join('&')
  return {
    method: method === '*' ? 'PATCH' : method,
    where: query === '' ? filled : `${filled}?${query}`
  }
}
