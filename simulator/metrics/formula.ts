import { refuse } from '../routes/api-error.ts'

/** Arithmetic over named lines, as v2 formulas are written: `a`, `a / b * 100`, `default_zero(a)`. */
export type Formula =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'op'; readonly op: string; readonly left: Formula; readonly right: Formula }
  | { readonly kind: 'default_zero'; readonly inner: Formula }

/** Parses a formula; anything outside of it is a 400. */
export function parseFormula(text: string): Formula {
  const tokens = text.match(/\d+(?:\.\d+)?|[A-Za-z_]\w*|[-+*/()]|\S/g) ?? []
  let at = 0
  let depth = 0
  const bad = () => refuse(400, `Invalid formula '${text}'`)
  const factor = (): Formula => {
    if (++depth > 50) throw bad()
    const token = tokens[at++]
    if (token === '(' || token === 'default_zero') {
      if (token === 'default_zero' && tokens[at++] !== '(') throw bad()
      const inner = sum()
      if (tokens[at++] !== ')') throw bad()
      return token === '(' ? inner : { kind: 'default_zero', inner }
    }
    if (token !== undefined && /^\d/.test(token)) return { kind: 'number', value: Number(token) }
    if (token === undefined || !/^[A-Za-z_]/.test(token)) throw bad()
    return { kind: 'name', name: token }
  }
  const chain = (ops: string, operand: () => Formula): Formula => {
    let left = operand()
    while (tokens[at] !== undefined && ops.includes(tokens[at] ?? '?'))
      left = { kind: 'op', op: tokens[at++] ?? '', left, right: operand() }
    return left
  }
  const sum = (): Formula => chain('+-', () => chain('*/', factor))
  const formula = sum()
  if (at < tokens.length) throw bad()
  return formula
}

/** The names a formula reads. */
export const namesIn = (formula: Formula): string[] =>
  formula.kind === 'name'
    ? [formula.name]
    : formula.kind === 'op'
      ? [...namesIn(formula.left), ...namesIn(formula.right)]
      : formula.kind === 'number'
        ? []
        : namesIn(formula.inner)

/** Evaluates a formula at one bucket; NaN is "no data". */
export function calculate(formula: Formula, read: (name: string) => number): number {
  switch (formula.kind) {
    case 'number':
      return formula.value
    case 'name':
      return read(formula.name)
    case 'default_zero': {
      const value = calculate(formula.inner, read)
      return Number.isNaN(value) ? 0 : value
    }
    case 'op': {
      const [a, b] = [calculate(formula.left, read), calculate(formula.right, read)]
      return formula.op === '+'
        ? a + b
        : formula.op === '-'
          ? a - b
          : formula.op === '*'
            ? a * b
            : b === 0
              ? NaN
              : a / b
    }
  }
}
