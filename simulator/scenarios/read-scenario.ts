import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { scenarioNames } from './scenario-files.ts'

const folder = fileURLToPath(new URL('./', import.meta.url))
let validate: ValidateFunction | undefined

/** A scenario as its file has it, checked against the schema, and the folder its relatives are looked for in. */
export interface ReadScenario {
  readonly value: unknown
  readonly folder: string
}

/**
 * Reads a scenario by the name of one that comes with the simulator, or from any file by a path that ends
 * in `.json`, from the folder where the command was given. Throws a sentence that names the file and the field.
 */
export function readScenario(name: string, beside?: string): ReadScenario {
  const path = pathOf(name, beside)
  return { value: checkScenario(parse(textOf(path, name), name), name), folder: dirname(path) }
}

/** npm starts its scripts in the project, and says where it was called. */
const startFolder = (): string => process.env['INIT_CWD'] ?? process.cwd()

function pathOf(name: string, beside: string | undefined): string {
  if (name.endsWith('.json')) {
    const near = resolve(beside ?? startFolder(), name)
    return existsSync(near) ? near : resolve(name)
  }
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Error(`scenario '${name}' is not a scenario id or a .json path`)
  const near = beside === undefined ? undefined : join(beside, `${name}.json`)
  return near !== undefined && existsSync(near) ? near : join(folder, `${name}.json`)
}

function textOf(path: string, name: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable'
    throw new Error(
      [
        `scenario '${name}' cannot be read: ${code} at ${path};`,
        `give the path of a .json file or one of ${scenarioNames().join(', ')}`
      ].join(' '),
      { cause: error }
    )
  }
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`scenario '${name}' is not valid: it is no JSON (${why})`, { cause: error })
  }
}

/** A value that obeys the schema of scenarios; throws with its bad fields, five at most. */
export function checkScenario(value: unknown, name: string): unknown {
  validate ??= new Ajv2020({
    strict: true,
    strictRequired: false,
    allErrors: true,
    allowUnionTypes: true
  }).compile(JSON.parse(readFileSync(join(folder, 'schema.json'), 'utf8')) as object)
  if (validate(value)) return value
  const problems = (validate.errors ?? []).slice(0, 5).map(describe).join('; ')
  throw new Error(`scenario '${name}' is not valid: ${problems}`)
}

function describe({ params, instancePath, message, keyword }: ErrorObject): string {
  const { missingProperty, additionalProperty, allowedValues } = params as Record<string, unknown>
  const inner = missingProperty ?? additionalProperty
  const path = inner === undefined ? instancePath : `${instancePath}/${String(inner)}`
  const choices =
    keyword === 'enum' && Array.isArray(allowedValues) ? `: ${allowedValues.join(', ')}` : ''
  return `${path || '/'} ${message ?? 'is not valid'}${choices}`
}
