import { invalid, Type, type Static } from '../../../core/index.ts'
import {
  numberColumns,
  statuses,
  textColumns,
  type Condition,
  type Match,
  type NumberColumn,
  type Status,
  type TextColumn
} from '../store/filters.ts'
import { choicesOf, equalTo, fitting, valuesOf } from './match.ts'
import { readTime } from './time.ts'

const Value = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])
/** One filter of a dashboard; `values` comes with the operators for several. */
export const AdHoc = Type.Object(
  {
    key: Type.String(),
    operator: Type.Optional(Type.String()),
    value: Type.Optional(Value),
    values: Type.Optional(Type.Union([Type.Array(Value, { maxItems: 100 }), Type.Null()]))
  },
  { additionalProperties: true }
)

/** The key of whole tags; `tag:KEY` is that of the values of one. */
const tagKey = 'tag'

const operators = ['=', '!=', '=~', '!~', '=|', '!=|', '<', '>']
const isNumberOperator = (operator: string): operator is '=' | '!=' | '<' | '>' =>
  ['=', '!=', '<', '>'].includes(operator)
const isTextColumn = (key: string): key is TextColumn =>
  (textColumns as readonly string[]).includes(key)
const isNumberColumn = (key: string): key is NumberColumn =>
  (numberColumns as readonly string[]).includes(key)
const isStatus = (text: string): text is Status => (statuses as readonly string[]).includes(text)

/** A text for the database, which holds no NUL. */
export function textOf(value: string | number | boolean, pointer: string): string {
  const text = String(value)
  if (text.includes('\u0000')) throw invalid(pointer, 'holds a NUL character')
  return text
}

/** Statuses as they are written, one or several. */
export const readStatuses = (texts: readonly string[], pointer: string): Status[] =>
  texts.flatMap(choicesOf).map(text => {
    if (!isStatus(text)) throw invalid(pointer, `must be one of ${statuses.join(', ')}`)
    return text
  })

/**
 * A filter of a dashboard, or one clicked in a cell of the table of sessions, as a condition; a key
 * that is no column and no tag is a path into the state.
 */
export function readAdHoc(
  { key, operator = '=', value, values }: Static<typeof AdHoc>,
  pointer: string
): Condition {
  if (!operators.includes(operator))
    throw invalid(`${pointer}/operator`, `is '${operator}'; known are ${operators.join(', ')}`)
  const given = values && values.length > 0 ? values : [value ?? '']
  const texts = given.map(one => textOf(one ?? '', `${pointer}/value`))
  if (isNumberColumn(key)) return readNumber(key, operator, texts, pointer)
  if (key === 'status') return readStatus(operator, texts, pointer)
  const match = readMatch(operator, texts, pointer)
  if (isTextColumn(key)) return { kind: 'text', column: key, match }
  if (key === tagKey) return { kind: 'tag', key: null, match }
  if (key.startsWith(`${tagKey}:`)) return { kind: 'tag', key: key.slice(tagKey.length + 1), match }
  return { kind: 'state', mode: 'current', path: textOf(key, `${pointer}/key`), match }
}

const isNegated = (operator: string): boolean => operator.startsWith('!')

function readMatch(operator: string, texts: readonly string[], pointer: string): Match {
  const isNot = isNegated(operator)
  if (operator === '<' || operator === '>')
    throw invalid(
      `${pointer}/operator`,
      `is '${operator}', which numbers have; use =, !=, =~ or !~`
    )
  if (!operator.endsWith('~')) return equalTo(texts.flatMap(valuesOf), isNot)
  const matches = texts.map(text => fitting(text, `${pointer}/value`, isNot))
  return { isNot, texts: [], patterns: matches.flatMap(one => one.patterns) }
}

function readStatus(operator: string, texts: readonly string[], pointer: string): Condition {
  if (operator.endsWith('~'))
    return { kind: 'text', column: 'status', match: readMatch(operator, texts, pointer) }
  const wanted = readStatuses(texts, `${pointer}/value`)
  return { kind: 'status', isNot: isNegated(operator), statuses: wanted }
}

function readNumber(
  column: NumberColumn,
  operator: string,
  [text = '']: readonly string[],
  pointer: string
): Condition {
  if (!isNumberOperator(operator))
    throw invalid(`${pointer}/operator`, `is '${operator}'; a number knows =, !=, < and >`)
  const value = column === 'created_at' ? readTime(text, `${pointer}/value`) : Number(text)
  if (text.trim() === '' || !Number.isFinite(value))
    throw invalid(`${pointer}/value`, `is '${text.slice(0, 40)}' and no number`)
  return { kind: 'number', column, operator, value }
}
