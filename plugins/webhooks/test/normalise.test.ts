import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { normalise } from '../normalise/normalise.ts'
import { bytesOf, fixtures } from './fixture.ts'
import { checkIdentity, checkSound, fastest, slowest } from './soundness.ts'

// A time without a zone is UTC wherever the server stands.
process.env['TZ'] = 'Asia/Tokyo'
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
  'other senders',
  'recoveries',
  'nesting',
  'prose',
  'documents',
  'transport'
]

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
        checkIdentity(bytesOf(fixture), fixture.headers, result)
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

test('no prototype is touched', () => {
  for (const fixture of fixtures.filter(({ axis }) => axis === 'hostile')) {
    const { fields } = normalise(bytesOf(fixture), fixture.headers)
    assert.equal((Object.assign({}, fields) as Record<string, unknown>)['polluted'], undefined)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  }
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
