import { Ajv2020, type ErrorObject, type Options, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { Static, TSchema } from 'typebox'
import { RayneError, type FieldError } from './errors.ts'

// `env` lists the other environment variables a setting is read from; it says nothing about its value.
const options: Options = {
  strict: true,
  strictTypes: false,
  allErrors: true,
  allowUnionTypes: true,
  useDefaults: true,
  keywords: ['env']
}
const withFormats = (ajv: Ajv2020): Ajv2020 => {
  formats.default(ajv)
  return ajv
}
const exact = withFormats(new Ajv2020(options))
const coercing = withFormats(new Ajv2020({ ...options, coerceTypes: true }))

/** Checks a value in place (defaults are filled in) and returns it typed, or throws a 400 that names each field. */
export type Validator<T> = (value: unknown, where?: string) => T

/** `coerce` is for texts that carry other types: paths, queries, environment variables. */
export function compile<S extends TSchema>(
  schema: S,
  mode: 'exact' | 'coerce' = 'exact'
): Validator<Static<S>> {
  const check: ValidateFunction = (mode === 'coerce' ? coercing : exact).compile(schema)
  return (value, where = 'body') => {
    if (check(value)) return value as Static<S>
    const errors = (check.errors ?? []).slice(0, 20).map(error => fieldError(error, where))
    const first = errors[0] ?? { pointer: `/${where}`, message: 'is not valid' }
    throw new RayneError({
      code: 'invalid-input',
      message: `${first.pointer} ${first.message}`,
      details: { errors }
    })
  }
}

function fieldError(error: ErrorObject, where: string): FieldError {
  const params = error.params as Record<string, unknown>
  const inner = params['missingProperty'] ?? params['additionalProperty']
  const tail =
    inner === undefined ? '' : `/${String(inner).replaceAll('~', '~0').replaceAll('/', '~1')}`
  const allowed = Array.isArray(params['allowedValues'])
    ? `: ${params['allowedValues'].join(', ')}`
    : ''
  const message =
    error.keyword === 'required'
      ? 'is required'
      : error.keyword === 'additionalProperties'
        ? 'is not a known field'
        : `${error.message ?? 'is not valid'}${allowed}`
  return { pointer: `/${where}${error.instancePath}${tail}`, message }
}
