import { refuse, type ApiError } from '../routes/api-error.ts'

/** One condition of a scope: the tag must (or, negated, must not) have the value; `*` stands for any text. */
export interface TagFilter {
  readonly key: string
  readonly value: string
  readonly negated: boolean
}
export type Aggregator = 'avg' | 'sum' | 'min' | 'max' | 'count'
export interface MetricTerm {
  readonly kind: 'metric'
  readonly aggregator: Aggregator | undefined
  readonly metric: string
  readonly scope: readonly TagFilter[]
  readonly by: readonly string[]
  readonly modifier: 'as_count' | 'as_rate' | undefined
  readonly rollup: { readonly method: Aggregator; readonly seconds: number | undefined } | undefined
  readonly text: string
}
export type Expression =
  | MetricTerm
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'binary'
      readonly op: '+' | '-' | '*' | '/'
      readonly left: Expression
      readonly right: Expression
      readonly text: string
    }
  | { readonly kind: 'default_zero'; readonly inner: Expression; readonly text: string }

const aggregators = new Set(['avg', 'sum', 'min', 'max', 'count'])
const MAX_DEPTH = 50

interface Cursor {
  readonly text: string
  at: number
  depth: number
}

/** Parses a v1 metric query (a comma list of expressions); anything outside the grammar is a 400. */
export function parseMetricQuery(text: string): Expression[] {
  const cursor = { text, at: 0, depth: 0 }
  const expressions = [sum(cursor)]
  while (take(cursor, ',')) expressions.push(sum(cursor))
  if (peek(cursor) !== '') throw bad(cursor)
  return expressions
}

const bad = (cursor: Cursor): ApiError =>
  refuse(
    400,
    `Error parsing query: unable to parse ${cursor.text}: Rule 'scope_expr' didn't match at ` +
      `'${cursor.text.slice(cursor.at, cursor.at + 40)}' (line 1, column ${cursor.at + 1}).`
  )

function peek(cursor: Cursor): string {
  while (/\s/.test(cursor.text[cursor.at] ?? '')) cursor.at++
  return cursor.text[cursor.at] ?? ''
}

function take(cursor: Cursor, token: string): boolean {
  peek(cursor)
  if (!cursor.text.startsWith(token, cursor.at)) return false
  cursor.at += token.length
  return true
}

function expect(cursor: Cursor, token: string): void {
  if (!take(cursor, token)) throw bad(cursor)
}

function match(cursor: Cursor, pattern: RegExp): string | undefined {
  peek(cursor)
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)?.[0]
  if (found !== undefined) cursor.at += found.length
  return found
}

function sum(cursor: Cursor): Expression {
  return chain(cursor, ['+', '-'], inner => chain(inner, ['*', '/'], factor))
}

function chain(
  cursor: Cursor,
  ops: readonly ('+' | '-' | '*' | '/')[],
  operand: (cursor: Cursor) => Expression
): Expression {
  let left = operand(cursor)
  for (;;) {
    const op = ops.find(one => peek(cursor) === one)
    if (!op) return left
    cursor.at++
    const right = operand(cursor)
    left = { kind: 'binary', op, left, right, text: `(${textOf(left)} ${op} ${textOf(right)})` }
  }
}

/** How an expression reads in an answer. */
export const textOf = (expression: Expression): string =>
  expression.kind === 'number' ? String(expression.value) : expression.text

function factor(cursor: Cursor): Expression {
  if (++cursor.depth > MAX_DEPTH) throw bad(cursor)
  try {
    if (take(cursor, '(')) {
      const inner = sum(cursor)
      expect(cursor, ')')
      return inner
    }
    const number = match(cursor, /-?\d+(\.\d+)?(e[+-]?\d+)?(?![\w.:])/iy)
    if (number !== undefined) return { kind: 'number', value: Number(number) }
    if (take(cursor, 'default_zero(')) {
      const inner = sum(cursor)
      expect(cursor, ')')
      return { kind: 'default_zero', inner, text: `default_zero(${textOf(inner)})` }
    }
    return metricTerm(cursor)
  } finally {
    cursor.depth--
  }
}

function metricTerm(cursor: Cursor): MetricTerm {
  peek(cursor)
  const start = cursor.at
  const aggregator = match(cursor, /[a-z0-9_]+:/iy)?.slice(0, -1)
  if (aggregator !== undefined && !aggregators.has(aggregator)) {
    cursor.at = start
    throw bad(cursor)
  }
  const metric = match(cursor, /[a-z][a-z0-9_.]*/iy)
  if (metric === undefined) throw bad(cursor)
  const scope = scopeOf(cursor)
  const by = match(cursor, /by\s*(?=\{)/y) === undefined ? [] : groupBy(cursor)
  const modifiers = methods(cursor)
  return {
    kind: 'metric',
    aggregator: aggregator as Aggregator | undefined,
    metric,
    scope,
    by,
    ...modifiers,
    text: cursor.text.slice(start, cursor.at)
  }
}

function scopeOf(cursor: Cursor): TagFilter[] {
  expect(cursor, '{')
  if (take(cursor, '*')) {
    expect(cursor, '}')
    return []
  }
  const filters: TagFilter[] = []
  do {
    const negated = take(cursor, '!')
    const key = match(cursor, /[a-z_][a-z0-9_.\-/]*(?=:)/iy)
    if (key === undefined) throw bad(cursor)
    expect(cursor, ':')
    const value = match(cursor, /[^\s,{}()"$]+/y)
    if (value === undefined) throw bad(cursor)
    filters.push({ key, value, negated })
  } while (take(cursor, ','))
  expect(cursor, '}')
  return filters
}

function groupBy(cursor: Cursor): string[] {
  expect(cursor, '{')
  const keys: string[] = []
  do {
    const key = match(cursor, /[a-z_][a-z0-9_.\-/]*/iy)
    if (key === undefined) throw bad(cursor)
    keys.push(key)
  } while (take(cursor, ','))
  expect(cursor, '}')
  return keys
}

function methods(cursor: Cursor): Pick<MetricTerm, 'modifier' | 'rollup'> {
  let modifier: MetricTerm['modifier']
  let rollup: MetricTerm['rollup']
  while (take(cursor, '.')) {
    const name = match(cursor, /(as_count|as_rate)\(\)|rollup(?=\()/y)
    if (name === undefined) throw bad(cursor)
    if (name === 'rollup') rollup = rollupOf(cursor)
    else modifier = name === 'as_count()' ? 'as_count' : 'as_rate'
  }
  return { modifier, rollup }
}

function rollupOf(cursor: Cursor): { method: Aggregator; seconds: number | undefined } {
  expect(cursor, '(')
  const method = match(cursor, /[a-z]+/y) ?? 'avg'
  if (!aggregators.has(method)) throw bad(cursor)
  take(cursor, ',')
  const seconds = match(cursor, /\d+/y)
  expect(cursor, ')')
  if (seconds !== undefined && (Number(seconds) < 1 || Number(seconds) > 2_592_000))
    throw bad(cursor)
  return {
    method: method as Aggregator,
    seconds: seconds === undefined ? undefined : Number(seconds)
  }
}
