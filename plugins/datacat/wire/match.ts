import { invalid } from '../../../core/index.ts'
import { asPattern, type Match } from '../store/filters.ts'

const maxAlternatives = 100
const escaped = /\\([\\^$*+?.()|[\]{}/-])/g

/** A text in which a variable was written as a regular expression: `cpu\.load` is `cpu.load`. */
export const unescaped = (text: string): string => text.replaceAll(escaped, '$1')

/**
 * What a variable with several values stands for: Grafana writes it `{a,b}` or, as a regular
 * expression, `(a|b)`. The text itself is one of the answers too, since it may be a value.
 */
export function valuesOf(text: string): string[] {
  const glob = /^\{(.*,.*)\}$/s.exec(text)?.[1]
  const group = /^\((.*\|.*)\)$/s.exec(text)?.[1]
  const list = glob?.split(',') ?? (group === undefined ? [] : splitAlternatives(group))
  return [...new Set([unescaped(text), ...list.map(unescaped)])].slice(0, maxAlternatives)
}

/** Such values without the text itself, for fields in which it means nothing. */
export function choicesOf(text: string): string[] {
  const [own, ...others] = valuesOf(text)
  return others.length > 0 || own === undefined ? others : [own]
}

const splitAlternatives = (text: string): string[] => text.split(/(?<!\\)\|/)

/** The texts of a filter: those that are equal. */
export const equalTo = (texts: readonly string[], isNot = false): Match => ({
  isNot,
  texts: [...new Set(texts)],
  patterns: []
})

/**
 * A regular expression as the patterns the database looks for: letters, `.`, `.*`, `.+`, `|`,
 * groups, and `\` before any other sign. It has to fit the whole value. Anything else is a 400, since
 * an expression of a caller may take forever.
 */
export function fitting(expression: string, pointer: string, isNot = false): Match {
  const known = 'a filter knows letters, ., .*, .+, |, groups, and \\ before any other sign'
  const patterns = createReader(expression).read()
  if (patterns === undefined) throw invalid(pointer, `is '${expression.slice(0, 100)}'; ${known}`)
  if (patterns.length > maxAlternatives)
    throw invalid(pointer, `has more than ${maxAlternatives} alternatives`)
  return { isNot, texts: [], patterns }
}

/** Reads an expression from the left; undefined where it is more than a filter knows. */
function createReader(expression: string) {
  let at = 0

  function alternatives(depth: number): string[] | undefined {
    let all: string[] = []
    for (;;) {
      const one = sequence(depth)
      if (!one) return undefined
      all = few([...all, ...one])
      if (expression[at] !== '|') return all
      at += 1
    }
  }

  function sequence(depth: number): string[] | undefined {
    let all = ['']
    // It has to fit the whole value anyway.
    if (depth === 0 && expression[at] === '^') at += 1
    while (!isEnd(expression[at])) {
      if (depth === 0 && expression[at] === '$' && isEnd(expression[at + 1])) {
        at += 1
        continue
      }
      const next = expression[at] === '(' ? group(depth) : sign()
      if (!next) return undefined
      all = few(all.flatMap(start => next.map(end => start + end)))
    }
    return all
  }

  function group(depth: number): string[] | undefined {
    at += expression.startsWith('(?:', at) ? 3 : 1
    const inner = depth < 10 ? alternatives(depth + 1) : undefined
    if (expression[at] !== ')') return undefined
    at += 1
    return /[*+?{]/.test(expression.charAt(at)) ? undefined : inner
  }

  function sign(): string[] | undefined {
    const found = signOf(expression.slice(at, at + 3))
    if (!found) return undefined
    at += found.text.length
    // What may come more than once, or perhaps, is no pattern.
    return /[*+?{]/.test(expression.charAt(at)) ? undefined : [found.pattern]
  }

  return {
    read(): string[] | undefined {
      const found = expression.length <= 1_000 ? alternatives(0) : undefined
      return at === expression.length ? found : undefined
    }
  }
}

const isEnd = (sign: string | undefined): boolean =>
  sign === undefined || sign === '|' || sign === ')'
/** Each once, and no more than tell that there are too many. */
const few = (patterns: readonly string[]): string[] =>
  [...new Set(patterns)].slice(0, maxAlternatives + 1)

/** The sign a text begins with, and its pattern; a letter behind `\` would be a class of letters. */
function signOf(text: string): { readonly text: string; readonly pattern: string } | undefined {
  if (text.startsWith('.*')) return { text: '.*', pattern: '%' }
  if (text.startsWith('.+')) return { text: '.+', pattern: '_%' }
  if (text.startsWith('.')) return { text: '.', pattern: '_' }
  const [sign, behind] = /^\\([^\w\s])|^[^\\*+?{}[\]^$]/su.exec(text) ?? []
  return sign === undefined ? undefined : { text: sign, pattern: asPattern(behind ?? sign) }
}
