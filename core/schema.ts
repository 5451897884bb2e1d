import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import { RayneError, type FieldError } from './errors.ts'

// `env` lists the other environment variables a setting is read from; it says nothing about its value.
const options: Options = {
  strict: true,
  strictTypes: false,
  allowUnionTypes: true,
  useDefaults: true,
  keywords: ['env']
}
const withFormats = (ajv: Ajv2020): Ajv2020 => {
  formats.default(ajv)
  // ajv takes `urn:uuid:…` too, which no database does.
  return ajv.addFormat('uuid', /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i)
}
const makers = {
  exact: withFormats(new Ajv2020(options)),
  coerce: withFormats(new Ajv2020({ ...options, coerceTypes: true }))
}
// A body of a megabyte may have a million wrong fields: all are told of a small value only.
const tellers = {
  exact: withFormats(new Ajv2020({ ...options, allErrors: true })),
  coerce: withFormats(new Ajv2020({ ...options, coerceTypes: true, allErrors: true }))
}
const maxTold = 1_000

/** Checks a value in place (defaults are filled in) and returns it typed, or throws a 400 that names each field. */
export type Validator<T> = (value: unknown, where?: string) => T

/**
 * `coerce` is for texts that carry other types: paths, queries, environment variables. A schema is made into code
 * when the first value comes: most never see one in a process's life, and to compile all costs a third of a start.
 */
export function compile<S extends TSchema>(
  schema: S,
  mode: 'exact' | 'coerce' = 'exact'
): Validator<Static<S>> {
  let check: ValidateFunction | undefined
  let tell: ValidateFunction | undefined
  const errorsOf = (value: unknown): readonly ErrorObject[] => {
    const first = check?.errors ?? []
    if (partsOf(value, maxTold) === maxTold) return first
    tell ??= tellers[mode].compile(schema)
    return tell(value) ? first : (tell.errors ?? first)
  }
  return (value, where = 'body') => {
    check ??= makers[mode].compile(schema)
    const odd = mode === 'coerce' ? oddNumbers(schema, value, where) : []
    if (check(value) && odd.length === 0) return value as Static<S>
    const found = check.errors ? withoutBranches(errorsOf(value)) : []
    const others = found
      .map(error => fieldError(error, where))
      .filter(({ pointer }) => !odd.some(one => one.pointer === pointer))
    const errors = [...odd, ...others].slice(0, 20)
    const first = errors[0] ?? { pointer: `/${where}`, message: 'is not valid' }
    throw new RayneError({
      code: 'invalid-input',
      message: `${first.pointer} ${first.message}`,
      details: { errors }
    })
  }
}

/** How many values a value is made of, itself included; no more than `most` are counted. */
function partsOf(value: unknown, most: number): number {
  const open = [value]
  let count = 0
  for (let next = open.pop(); count < most; next = open.pop()) {
    count += 1
    if (typeof next === 'object' && next !== null)
      for (const key in next) {
        if (open.length + count >= most) return most
        open.push((next as Record<string, unknown>)[key])
      }
    if (open.length === 0) return count
  }
  return most
}

const decimal = /^-?\d{1,16}(?:\.\d{1,16})?(?:e[+-]?\d{1,3})?$/i

/** Texts in the place of numbers that JavaScript would take for some: `0x10`, ` `, `1e400`. */
function oddNumbers(schema: TSchema, value: unknown, where: string): FieldError[] {
  const { properties = {} }: { properties?: Record<string, TSchema> } = schema
  return Object.entries(value as object).flatMap(([key, given]) => {
    const { type, items } = (properties[key] ?? {}) as { type?: string; items?: { type?: string } }
    const kind = type === 'array' ? items?.type : type
    if (kind !== 'integer' && kind !== 'number') return []
    const odd = [given].flat().find(one => typeof one === 'string' && isOdd(one, kind))
    if (odd === undefined) return []
    const message =
      Math.abs(Number(odd)) === Infinity ? 'must be a finite number' : `must be ${kind}`
    return [{ pointer: `/${where}/${key}`, message }]
  })
}

const isOdd = (text: string, kind: 'integer' | 'number'): boolean =>
  !decimal.test(text) ||
  !isFinite(Number(text)) ||
  (kind === 'integer' && !Number.isSafeInteger(Number(text)))

/** What a value may be, when its schema lists it as an enumeration or a union of literals; else empty. */
export function choicesOf(schema: TSchema): readonly unknown[] {
  const {
    enum: values,
    anyOf,
    items
  }: { enum?: unknown[]; anyOf?: TSchema[]; items?: TSchema } = schema
  if (values) return values
  if (items) return choicesOf(items)
  const literals = anyOf?.filter((each): each is TSchema & { const: unknown } => 'const' in each)
  return literals && literals.length === anyOf?.length ? literals.map(each => each.const) : []
}

/**
 * A union fails once for each branch and once as a whole. An alternative of literals is one error that lists them;
 * where a branch fits the value and something inside it does not, that is what is said.
 */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  const dropped = new Set<ErrorObject>()
  const literals = new Map<ErrorObject, unknown[]>()
  for (const union of errors.filter(({ keyword }) => keyword === 'anyOf')) {
    const branches = errors.filter(each => each.schemaPath.startsWith(`${union.schemaPath}/`))
    const isInside = ({ instancePath }: ErrorObject): boolean =>
      instancePath.length > union.instancePath.length
    if (branches.some(isInside))
      for (const each of [union, ...branches].filter(one => !isInside(one))) dropped.add(each)
    else if (branches.every(({ keyword }) => keyword === 'const' || keyword === 'type')) {
      for (const each of branches) dropped.add(each)
      literals.set(union, branches.flatMap(allowedValue))
    }
  }
  return errors
    .filter(error => !dropped.has(error))
    .map(error => {
      const allowedValues = literals.get(error)
      return allowedValues?.length ? { ...error, params: { allowedValues } } : error
    })
}

const allowedValue = ({ keyword, params }: ErrorObject): unknown[] =>
  keyword === 'const' ? [(params as { allowedValue: unknown }).allowedValue] : []

function fieldError(error: ErrorObject, where: string): FieldError {
  const params = error.params as Record<string, unknown>
  const inner = params['missingProperty'] ?? params['additionalProperty']
  const tail =
    inner === undefined ? '' : `/${String(inner).replaceAll('~', '~0').replaceAll('/', '~1')}`
  return { pointer: `/${where}${error.instancePath}${tail}`, message: messageOf(error) }
}

const quoted = (value: unknown): string =>
  /^[^\s,]+$/.test(String(value)) ? String(value) : `'${String(value)}'`

function messageOf({ keyword, message, params }: ErrorObject): string {
  const { allowedValues } = params as { allowedValues?: unknown[] }
  if (keyword === 'required') return 'is required'
  if (keyword === 'additionalProperties') return 'is not a known field'
  if (allowedValues) return `must be one of ${allowedValues.map(quoted).join(', ')}`
  return message ?? 'is not valid'
}
