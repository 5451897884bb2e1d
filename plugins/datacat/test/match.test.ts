import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { choicesOf, fitting, valuesOf } from '../wire/match.ts'

/** What LIKE does, in so many words. */
function isLike(text: string, pattern: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('%'))
    return Array.from({ length: text.length + 1 }, (_, n) => text.slice(n)).some(rest =>
      isLike(rest, pattern.slice(1))
    )
  const [sign, rest] = pattern.startsWith('\\')
    ? [pattern[1], pattern.slice(2)]
    : [pattern[0], pattern.slice(1)]
  const isAny = pattern.startsWith('_')
  return text !== '' && (isAny || text.startsWith(String(sign))) && isLike(text.slice(1), rest)
}

const letter = fc.constantFrom('a', 'b', 'c', '%', '_', '-', ' ')
const sign = fc.oneof(
  letter,
  fc.constantFrom('.', '.*', '.+', String.raw`\.`, String.raw`\*`, String.raw`\(`, String.raw`\\`)
)
const { expression } = fc.letrec<{ expression: string; part: string }>(tie => ({
  part: fc.oneof(
    { depthSize: 'small' },
    sign,
    tie('expression').map(inner => `(${inner})`),
    tie('expression').map(inner => `(?:${inner})`)
  ),
  expression: fc
    .array(fc.array(tie('part'), { maxLength: 3 }), { minLength: 1, maxLength: 2 })
    .map(all => all.map(parts => parts.join('')).join('|'))
}))

/** The patterns of an expression; undefined where it has too many. */
function patternsOf(written: string): readonly string[] | undefined {
  try {
    return fitting(written, '/value').patterns
  } catch (error) {
    assert.match(String(error), /more than 100 alternatives/)
    return undefined
  }
}

test('what fits an expression is what fits one of its patterns (property)', () => {
  const text = fc.string({
    unit: fc.oneof(letter, fc.constantFrom('.', '*', '(', '\\')),
    maxLength: 6
  })
  fc.assert(
    fc.property(expression, fc.array(text, { maxLength: 20 }), (written, texts) => {
      const patterns = patternsOf(written)
      fc.pre(patterns !== undefined)
      const known = new RegExp(`^(?:${written})$`, 's')
      for (const one of texts)
        assert.equal(
          patterns.some(pattern => isLike(one, pattern)),
          known.test(one),
          `${written} and ${one}: ${patterns.join(' ')}`
        )
    })
  )
})

test('an expression that may do more is refused with what is known', () => {
  for (const written of [
    'a*',
    'a+',
    'a?',
    '(a)*',
    '[ab]',
    String.raw`\d`,
    'a{2}',
    '(a',
    'a)',
    'a^',
    '$a',
    '(^a)',
    '\\',
    '*'
  ])
    assert.throws(() => fitting(written, '/value'), /a filter knows letters/, written)
  assert.throws(() => fitting('(a|b)'.repeat(10), '/value'), /more than 100 alternatives/)
  assert.throws(() => fitting('a'.repeat(2_000), '/value'), /a filter knows letters/)
})

test('several values of a variable are read from each way of writing them', () => {
  assert.deepEqual(valuesOf('a'), ['a'])
  assert.deepEqual(valuesOf('{a,b}'), ['{a,b}', 'a', 'b'])
  assert.deepEqual(valuesOf(String.raw`(a\.b|c\|d)`), ['(a.b|c|d)', 'a.b', 'c|d'])
  assert.deepEqual(choicesOf('{a,b}'), ['a', 'b'])
  assert.deepEqual(choicesOf(String.raw`cpu\.load`), ['cpu.load'])
  assert.deepEqual(valuesOf('(just brackets)'), ['(just brackets)'])
})
