import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { compile } from '../../../core/schema.ts'
import { Alert } from '../contract.ts'
import { dedupeKey, normalise, type Normalised } from '../normalise/normalise.ts'
import { mend } from '../normalise/mend.ts'
import { bytesOf, fixtures, type Fixture } from './fixture.ts'

// A time without a zone is UTC wherever the server stands.
process.env['TZ'] = 'Asia/Tokyo'
const validate = compile(Alert)
const axes = [
  'scalars',
  'unresolved',
  'encoding',
  'template bugs',
  'size',
  'text',
  'tags',
  'transition',
  'time',
  'hostile',
  'other senders'
]
const seed = Number(process.env['FUZZ_SEED'] ?? 20240129)
// A bound against catastrophe, not a measurement: a warm run takes under 15 ms, a backtracking one minutes.
const slowest = 1_000

test('there are at least 120 fixtures, on every axis, each with its own name', () => {
  assert.ok(fixtures.length >= 120, `only ${fixtures.length} fixtures`)
  assert.deepEqual([...new Set(fixtures.map(fixture => fixture.axis))].toSorted(), axes.toSorted())
  assert.equal(
    new Set(fixtures.map(fixture => `${fixture.axis}: ${fixture.name}`)).size,
    fixtures.length
  )
  for (const fixture of fixtures) assert.ok(Object.keys(fixture.expect).length > 0, fixture.name)
})

for (const axis of axes) {
  suite(`fixtures: ${axis}`, () => {
    for (const { name, ...fixture } of fixtures.filter(item => item.axis === axis)) {
      test(name, () => {
        const result = normalise(bytesOf(fixture), fixture.headers)
        checkSound(result)
        checkPart({ ...result.alert }, fixture.expect, 'alert')
        if (fixture.fields) checkPart(result.fields, fixture.fields, 'fields')
      })
    }
  })
}

test('no fixture makes the reader stall', () => {
  for (const fixture of fixtures) {
    const raw = bytesOf(fixture)
    // The best of several runs: the limit is for the reader, not for whatever else the machine does.
    const best = fastest(() => normalise(raw, fixture.headers))
    assert.ok(best <= slowest, `${fixture.name} took ${best.toFixed(1)} ms`)
  }
})

test('the same bytes always give the same alert, and reading leaves them alone', () => {
  for (const fixture of fixtures) {
    const raw = bytesOf(fixture)
    const copy = Buffer.from(raw)
    assert.deepEqual(
      normalise(raw, fixture.headers),
      normalise(new Uint8Array(raw), { ...fixture.headers }),
      fixture.name
    )
    assert.ok(copy.equals(raw), fixture.name)
  }
})

test('the decoded payload, sent again as JSON, gives the same facts', () => {
  for (const fixture of fixtures.filter(({ axis }) => axis !== 'size')) {
    const once = normalise(bytesOf(fixture), fixture.headers)
    if ('items' in once.fields || 'text' in once.fields) continue
    const again = normalise(Buffer.from(JSON.stringify(once.fields)), {})
    assert.deepEqual(
      { ...again.alert, parse_error: null },
      { ...once.alert, parse_error: null },
      fixture.name
    )
  }
})

test(
  'mutated fixtures never throw and always give a sound alert in time',
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

test('no prototype is touched', () => {
  for (const fixture of fixtures.filter(({ axis }) => axis === 'hostile')) {
    const { fields } = normalise(bytesOf(fixture), fixture.headers)
    assert.equal((Object.assign({}, fields) as Record<string, unknown>)['polluted'], undefined)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  }
})

const receivedAt = Date.UTC(2024, 0, 29, 15, 0, 10)
const alertBody = (extra: object = {}): Buffer =>
  Buffer.from(
    JSON.stringify({
      monitor_id: '1',
      alert_cycle_key: 'c1',
      alert_transition: 'Triggered',
      scope: 'host:a',
      date: 1706540400000,
      id: 'e1',
      ...extra
    })
  )
const keyOf = (raw: Buffer, at = receivedAt, account: string | null = 'main'): string =>
  dedupeKey({ account, alert: normalise(raw, {}).alert, raw, receivedAt: at })

test('dedupe: a retry has the same key, whatever the shape of the body', () => {
  for (const fixture of fixtures) {
    const raw = bytesOf(fixture)
    const { alert } = normalise(raw, fixture.headers)
    const keys = Array.from({ length: 10 }, () =>
      dedupeKey({ account: 'main', alert, raw, receivedAt })
    )
    assert.equal(new Set(keys).size, 1, fixture.name)
    assert.ok(
      keys[0] !== undefined && keys[0].length <= 200 && /^[ -~]+$/.test(keys[0]),
      `${fixture.name}: ${keys[0]}`
    )
    if (alert.at !== null)
      assert.equal(
        dedupeKey({ account: 'main', alert, raw, receivedAt: receivedAt + 90_000 }),
        keys[0],
        fixture.name
      )
  }
})

test('dedupe: within a cycle one key for each transition, whatever the event id and time', () => {
  assert.equal(keyOf(alertBody({ id: 'e2', date: 1706540499000 })), keyOf(alertBody()))
  assert.notEqual(keyOf(alertBody({ alert_transition: 'Recovered' })), keyOf(alertBody()))
  assert.notEqual(keyOf(alertBody({ alert_cycle_key: 'c2' })), keyOf(alertBody()))
  assert.equal(keyOf(alertBody({ alert_transition: 'TRIGGERED' })), keyOf(alertBody()))
})

test('dedupe: what repeats within a cycle is told apart by its own time, and its retry is not', () => {
  for (const alert_transition of [
    'Renotify',
    'Re-Triggered',
    'Re-Warn',
    'Re-No Data',
    'Escalated'
  ]) {
    const first = alertBody({ alert_transition })
    assert.equal(keyOf(first), keyOf(alertBody({ alert_transition })))
    assert.notEqual(keyOf(first), keyOf(alertBody({ alert_transition, date: 1706544000000 })))
    assert.notEqual(
      keyOf(alertBody({ alert_transition, date: '' })),
      keyOf(alertBody({ alert_transition, date: '' }), receivedAt + 3_600_000)
    )
  }
})

test('dedupe: the same alert a day later is another one', () => {
  const day = 86_400_000
  const later = { date: 1706540400000 + day, alert_cycle_key: 'c2' }
  assert.notEqual(keyOf(alertBody(later), receivedAt + day), keyOf(alertBody()))
  assert.notEqual(
    keyOf(alertBody({ ...later, alert_cycle_key: '' })),
    keyOf(alertBody({ alert_cycle_key: '' }))
  )
  for (const text of ['{}', 'no keys at all', '{"monitor_id":1,"alert_status":"Alert"}', '']) {
    const raw = Buffer.from(text)
    assert.equal(keyOf(raw), keyOf(raw, receivedAt + 20_000))
    assert.notEqual(keyOf(raw), keyOf(raw, receivedAt + day))
  }
})

test('dedupe: monitors, groups and accounts do not collide', () => {
  const bodies = [
    alertBody(),
    alertBody({ monitor_id: '2' }),
    alertBody({ alert_cycle_key: '' }),
    alertBody({ alert_cycle_key: '', monitor_id: '2' }),
    alertBody({ alert_cycle_key: '', scope: 'host:b' }),
    alertBody({ alert_cycle_key: '', scope: '', aggreg_key: 'agg' }),
    alertBody({ alert_cycle_key: '', scope: '', aggreg_key: 'agg', monitor_id: '2' }),
    alertBody({ alert_cycle_key: '', scope: '', aggreg_key: 'host:a' }),
    alertBody({ alert_cycle_key: '', monitor_id: '', title: 'x' }),
    alertBody({ alert_cycle_key: '', monitor_id: '', title: 'y' }),
    alertBody({ alert_cycle_key: 'k'.repeat(500) }),
    alertBody({ alert_cycle_key: `${'k'.repeat(499)}l` })
  ]
  const keys = bodies.flatMap(raw =>
    ['main', 'eu', '', null].map(account => keyOf(raw, receivedAt, account))
  )
  assert.equal(new Set(keys).size, keys.length)
})

test('dedupe: different parts give different keys', () => {
  const part = fc.oneof(
    fc.string({ maxLength: 60 }),
    fc.constantFrom('a', 'a:b', 'a,b', '#', '"', null, '","')
  )
  const { alert } = normalise(alertBody(), {})
  const key = (
    account: string | null,
    cycle_key: string | null,
    monitor_id: string | null
  ): string =>
    dedupeKey({
      account,
      alert: { ...alert, cycle_key: cycle_key ?? 'c', monitor_id },
      raw: Buffer.alloc(0),
      receivedAt
    })
  fc.assert(
    fc.property(fc.tuple(part, part, part), fc.tuple(part, part, part), (left, right) => {
      const same =
        left[0] === right[0] && (left[1] ?? 'c') === (right[1] ?? 'c') && left[2] === right[2]
      assert.equal(key(...left) === key(...right), same)
    }),
    { seed, numRuns: 2_000 }
  )
})

function checkPart(
  actual: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
  where: string
): void {
  const plain = JSON.parse(JSON.stringify(actual)) as Record<string, unknown>
  for (const [key, want] of Object.entries(expected)) {
    const got = plain[key]
    const { $match, $length } = (want ?? {}) as { $match?: string; $length?: number }
    if ($match !== undefined) assert.match(String(got), new RegExp($match, 'u'), `${where}.${key}`)
    else if ($length !== undefined)
      assert.equal((got as unknown[]).length, $length, `${where}.${key}`)
    else if (isObject(want) && isObject(got)) checkPart(got, want, `${where}.${key}`)
    else assert.deepEqual(got, want, `${where}.${key}: ${JSON.stringify(got)?.slice(0, 300)}`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function checkSound({ alert, fields }: Normalised): void {
  validate({ ...alert })
  assert.ok(!alert.parse_error?.startsWith('not read'), alert.parse_error ?? '')
  assert.ok(alert.monitor_id === null || /^\d+$/.test(alert.monitor_id))
  assert.ok(alert.at === null || Number.isFinite(alert.at))
  assert.equal(alert.firing, alert.status !== 'ok')
  for (const text of everyText({ alert, fields }))
    assert.ok(text.isWellFormed() && !text.includes('\0'))
  assert.ok(JSON.stringify({ alert, fields }).length < 8_000_000)
}

function everyText(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return [...Object.keys(value), ...Object.values(value).flatMap(everyText)]
}

function checkBounded(raw: Uint8Array, headers: Fixture['headers']): void {
  let result: Normalised | undefined
  const ms = fastest(() => {
    result = normalise(raw, headers)
  })
  assert.ok(ms <= slowest, `took ${ms.toFixed(1)} ms`)
  if (result) checkSound(result)
}

function fastest(run: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < 10 && best > slowest / 2; round++) {
    const start = performance.now()
    run()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

interface Mutant {
  readonly raw: Buffer
  readonly headers: Fixture['headers']
}

function mutant(from: readonly Fixture[]): fc.Arbitrary<Mutant> {
  const bits = [
    '"',
    '\\',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '\n',
    '\0',
    '\ud800',
    '$ALERT_ID',
    '{{x.name}}',
    '\\u0000',
    '\\ud800',
    '&',
    '%',
    '=',
    "'",
    '\u202e',
    'null',
    '9'.repeat(40)
  ]
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    drop: fc.nat(12),
    bit: fc.constantFrom('', ...bits),
    times: fc.constantFrom(1, 1, 1, 2, 50),
    byte: fc.nat(255)
  })
  const types = [
    undefined,
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain; charset=latin1'
  ]
  return fc
    .record({
      fixture: fc.constantFrom(...from),
      edits: fc.array(edit, { minLength: 1, maxLength: 6 }),
      type: fc.constantFrom(...types),
      swap: fc.boolean()
    })
    .map(({ fixture, edits, type, swap }) => ({
      raw: edits.reduce(mutate, bytesOf(fixture)).subarray(0, 1_048_576),
      headers: swap ? { 'content-type': type } : fixture.headers
    }))
}

function mutate(
  raw: Buffer,
  edit: { at: number; drop: number; bit: string; times: number; byte: number }
): Buffer {
  const at = Math.floor(edit.at * raw.length)
  const added =
    edit.bit === '' ? Buffer.from([edit.byte]) : Buffer.from(edit.bit.repeat(edit.times))
  return Buffer.concat([raw.subarray(0, at), added, raw.subarray(at + edit.drop)])
}
