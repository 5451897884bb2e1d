import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { mend } from '../normalise/mend.ts'
import { normalise } from '../normalise/normalise.ts'
import { fixtures } from './fixture.ts'
import { mutant } from './mutants.ts'
import { checkBounded } from './soundness.ts'

const seed = Number(process.env['FUZZ_SEED'] ?? 20240129)

test(
  'mutated fixtures never throw and always give a sound alert in time, the same both ways',
  { timeout: 120_000 },
  () => {
    fc.assert(
      fc.property(mutant(fixtures.filter(({ axis }) => axis !== 'size')), ({ raw, headers }) =>
        checkBounded(raw, headers)
      ),
      { seed, numRuns: 4_000 }
    )
    fc.assert(
      fc.property(mutant(fixtures.filter(({ axis }) => axis === 'size')), ({ raw, headers }) =>
        checkBounded(raw, headers)
      ),
      { seed, numRuns: 60 }
    )
  }
)

test('random bytes, texts and JSON never throw', () => {
  const headers = fc.constantFrom(
    {},
    { 'content-type': 'application/x-www-form-urlencoded' },
    { 'content-type': 'application/json' }
  )
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 400 }).map(data => Buffer.from(data)),
    fc.string({ unit: 'binary', maxLength: 400 }).map(text => Buffer.from(text)),
    fc
      .string({
        unit: fc.constantFrom(
          '{',
          '}',
          '[',
          ']',
          '"',
          ',',
          ':',
          '\\',
          '\n',
          'a',
          '$ID',
          '1',
          ' ',
          '\\u',
          '&',
          '='
        ),
        maxLength: 200
      })
      .map(text => Buffer.from(text)),
    fc.json({ maxDepth: 6 }).map(text => Buffer.from(text))
  )
  fc.assert(fc.property(bytes, headers, checkBounded), { seed, numRuns: 4_000 })
})

test('valid JSON comes back as it was sent', () => {
  const scalar = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.integer(),
    fc.boolean(),
    fc.constant(null)
  )
  const data = fc.dictionary(
    fc.string({ maxLength: 20 }).filter(key => key !== '__proto__' && !key.includes('\0')),
    fc.oneof(scalar, fc.array(scalar, { maxLength: 5 }))
  )
  fc.assert(
    fc.property(data, sent => {
      const { alert, fields } = normalise(Buffer.from(JSON.stringify(sent)), {})
      assert.equal(alert.parse_error, null)
      assert.deepEqual(
        JSON.parse(JSON.stringify(fields)),
        JSON.parse(JSON.stringify(sent).replaceAll('\\u0000', ''))
      )
    }),
    { seed, numRuns: 1_000 }
  )
})

test('the bounded reader reads valid JSON as JSON.parse does', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', '"', ',', ':', '{', '}', '[', ']', ' ', '\n', '\\', 'ü', '1'),
    maxLength: 12
  })
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      text,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true, min: 0.5, max: 9 }),
      fc.constantFrom(true, null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.string({ maxLength: 5 }).filter(key => key !== '__proto__'),
        tie('value'),
        { maxKeys: 4 }
      )
    )
  }))
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ maxLength: 5 }).filter(key => key !== '__proto__'),
        value
      ),
      fc.constantFrom(0, 1),
      (sent, indent) => {
        const read = mend(JSON.stringify(sent, null, indent), true)
        assert.deepEqual([JSON.stringify(read.value), read.notes], [JSON.stringify(sent), []])
      }
    ),
    { seed, numRuns: 3_000 }
  )
})

const document = fc.record({
  title: fc.constantFrom('CPU', 'say "hi"', 'D:\\data\\new', 'a, b: {c}', 'line\nline'),
  alert_transition: fc.constantFrom('Triggered', 'Recovered', 'Warn'),
  extra: fc.constantFrom('x', '', '}', '{"a":1}', 'D:\\')
})

test('facts of two documents never melt, however they are joined and broken', () => {
  fc.assert(
    fc.property(
      document,
      document,
      fc.constantFrom('', '\n', ',', ' ', '\r\n', ';', '\0', '\n\n', ',\n'),
      fc.constantFrom(
        (text: string) => text,
        (text: string) => text.replace(/\}$/, ',}'),
        (text: string) => text.slice(0, -1),
        (text: string) => text.replace('","', '" "'),
        (text: string) => text.replaceAll('\\\\', '\\')
      ),
      (first, second, between, spoil) => {
        const one = spoil(JSON.stringify({ alert_id: '111', ...first, first: true }))
        const two = JSON.stringify({
          monitor_id: '222',
          service: 'two',
          ...second,
          hostname: 'two'
        })
        const { alert } = normalise(Buffer.from(`${one}${between}${two}`), {})
        assert.deepEqual(
          [alert.monitor_id, alert.service, alert.host],
          ['111', null, null],
          `${one}${between}${two}`
        )
        assert.match(alert.parse_error ?? '', /222/)
      }
    ),
    { seed, numRuns: 3_000 }
  )
})
