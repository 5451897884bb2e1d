const maxChars = 16_384
const maxNodes = 300
const maxDepth = 8
const types = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string']
const formats = ['date-time', 'date', 'uuid']
type Check = (value: unknown) => boolean
const isText: Check = value => typeof value === 'string' && value.length <= 1_000
const isCount: Check = value => Number.isSafeInteger(value) && Number(value) >= 0
const isNumber: Check = value => typeof value === 'number' && Number.isFinite(value)
const isList: Check = value => Array.isArray(value) && value.length <= 100
const isScalar: Check = value =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)
const isFlag: Check = value => typeof value === 'boolean'

/** The words of JSON Schema a written tool may use, and what each takes: none refers, branches or matches a pattern. */
const words: Readonly<Record<string, Check>> = {
  type: value =>
    [value].flat().every(one => types.includes(String(one))) &&
    [value].flat().length <= types.length,
  title: isText,
  description: isText,
  default: value => JSON.stringify(value).length <= 1_000,
  const: isScalar,
  enum: value => isList(value) && (value as unknown[]).every(isScalar),
  required: value => isList(value) && (value as unknown[]).every(isText),
  additionalProperties: isFlag,
  minimum: isNumber,
  maximum: isNumber,
  minLength: isCount,
  maxLength: isCount,
  minItems: isCount,
  maxItems: isCount,
  format: value => formats.includes(String(value))
}

/** What is wrong with a schema of a written tool; it must be an object's. Small schemas cost little to check with. */
export function schemaProblems(schema: unknown): string[] {
  const text = JSON.stringify(schema) ?? ''
  if (text.length > maxChars) return [`has more than ${maxChars} characters`]
  if (!isObject(schema) || schema['type'] !== 'object') return ['needs "type": "object" at its top']
  const problems = new Set<string>()
  let nodes = 0
  const open: { readonly at: unknown; readonly depth: number }[] = [{ at: schema, depth: 0 }]
  for (let one = open.pop(); one; one = open.pop()) {
    const { at, depth } = one
    nodes += 1
    if (!isObject(at)) problems.add('has a part that is no schema')
    else if (depth > maxDepth) problems.add(`is more than ${maxDepth} levels deep`)
    else open.push(...partsOf(at, problems).map(part => ({ at: part, depth: depth + 1 })))
    if (nodes > maxNodes) return [`has more than ${maxNodes} parts`]
  }
  return [...problems]
}

function partsOf(schema: Record<string, unknown>, problems: Set<string>): unknown[] {
  const parts: unknown[] = []
  for (const [word, value] of Object.entries(schema)) {
    if (word === 'properties' && isObject(value)) {
      const odd = Object.keys(value).find(
        name => !/^[a-zA-Z_][\w.-]{0,63}$/.test(name) || name === '__proto__'
      )
      if (odd !== undefined)
        problems.add(`has a property with the name ${JSON.stringify(odd.slice(0, 60))}`)
      parts.push(...Object.values(value))
    } else if (word === 'items') parts.push(value)
    else if (words[word] === undefined)
      problems.add(
        `uses '${word.slice(0, 40)}'; it knows properties, items, ${Object.keys(words).join(', ')}`
      )
    else if (!words[word](value)) problems.add(`has a '${word}' that is not allowed`)
  }
  return parts
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
