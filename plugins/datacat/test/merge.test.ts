import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isObject, stringify, type Json, type JsonObject } from '../wire/json.ts'
import { sizeOf } from '../wire/leaves.ts'
import { mergeInto, treeOf as stateTreeOf } from '../wire/merge.ts'
import { InvalidBody, parseFirst } from '../wire/parse.ts'
import { mergedOf, mergeOf } from './merged.ts'

const keys = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'a.b',
    '',
    '__proto__',
    'constructor',
    'toString',
    '10',
    '9',
    'é',
    '\u{1f600}',
    '\ufb00'
  ),
  fc.string({ maxLength: 3 })
)
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.string({ maxLength: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer()
)
const { value } = fc.letrec<{ value: Json; object: JsonObject }>(tie => ({
  object: fc
    .array(fc.tuple(keys, tie('value') as fc.Arbitrary<Json>), { maxLength: 4 })
    .map(
      entries =>
        JSON.parse(
          `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${JSON.stringify(inner)}`).join(',')}}`
        ) as JsonObject
    ),
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value') as fc.Arbitrary<Json>, { maxLength: 3 }),
    tie('object') as fc.Arbitrary<Json>
  )
}))
const object = value.filter(isObject)

/** What the contract says, on maps, which have no prototype to fall into. */
type Tree = Map<string, Tree | string>
const treeOf = (from: JsonObject): Tree =>
  new Map(
    Object.keys(from).map(key => [
      key,
      isObject(from[key]) ? treeOf(from[key]) : JSON.stringify(from[key])
    ])
  )
function mergeTrees(state: Tree, patch: Tree): Tree {
  const merged = new Map(state)
  for (const [key, inner] of patch) {
    const old = state.get(key)
    merged.set(key, inner instanceof Map && old instanceof Map ? mergeTrees(old, inner) : inner)
  }
  return merged
}
const sorted = (tree: Tree): unknown =>
  [...tree]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, inner]) => [key, inner instanceof Map ? sorted(inner) : inner])

describe('merging', () => {
  test('counts what the state takes, and undoes one merge or several, whatever they were', () => {
    fc.assert(
      fc.property(object, fc.array(object, { maxLength: 4 }), (state, patches) => {
        const tree = stateTreeOf(stringify(state))
        const before = [stringify(tree.root), tree.bytes, tree.values]
        const merges = patches.map(patch => {
          const patchBefore = stringify(patch)
          const merge = mergeInto(tree, patch)
          assert.equal(stringify(patch), patchBefore, 'the patch was changed')
          assert.deepEqual({ bytes: tree.bytes, values: tree.values }, sizeOf(tree.root))
          return merge
        })
        for (const merge of merges.reverse()) merge.undo()
        assert.deepEqual([stringify(tree.root), tree.bytes, tree.values], before)
      })
    )
  })

  test('is key by key for objects over objects, and replaces otherwise', () => {
    fc.assert(
      fc.property(object, object, (state, patch) => {
        const [before, patchBefore] = [JSON.stringify(state), JSON.stringify(patch)]
        assert.deepEqual(
          sorted(treeOf(mergedOf(state, patch))),
          sorted(mergeTrees(treeOf(state), treeOf(patch)))
        )
        assert.deepEqual(
          [JSON.stringify(state), JSON.stringify(patch)],
          [before, patchBefore],
          'an argument was changed'
        )
        assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
      })
    )
  })

  test('never reaches a prototype', () => {
    const state = mergedOf(
      {},
      JSON.parse(
        '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
      ) as JsonObject
    )
    assert.equal(
      stringify(state),
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    )
    assert.equal(
      stringify(mergedOf(state, JSON.parse('{"__proto__":{"more":2}}') as JsonObject)),
      '{"__proto__":{"more":2,"polluted":1},"constructor":{"prototype":{"polluted":1}}}'
    )
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })

  test('tells every leaf that went and came: the new ones are the old, less the gone, and the come', () => {
    const leavesOf = (state: JsonObject): Set<string> =>
      new Set(mergeOf({}, state).come.map(leaf => JSON.stringify(leaf)))
    // Paths join keys by dots, so a key with one may say the same as two others.
    const plain = object.filter(one => !/"[^"]*\.[^"]*":|"":/.test(JSON.stringify(one)))
    fc.assert(
      fc.property(plain, plain, (state, patch) => {
        const { after, gone, come } = mergeOf(state, patch)
        const expected = leavesOf(state)
        for (const leaf of gone) expected.delete(JSON.stringify(leaf))
        for (const leaf of come) expected.add(JSON.stringify(leaf))
        assert.deepEqual(
          [...leavesOf(JSON.parse(stringify(after)) as JsonObject)].sort(),
          [...expected].sort()
        )
      })
    )
  })
})

describe('writing and parsing', () => {
  test('the text of a value is the value again, with keys in byte order at every level', () => {
    fc.assert(
      fc.property(object, one => {
        const text = stringify(one)
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(one)))
        assert.equal(stringify(JSON.parse(text) as Json), text)
      })
    )
    assert.equal(
      stringify({ b: 1, a: { 10: 1, 9: 2 }, '\u{1f600}': 1, '\ufb00': 2 }),
      '{"a":{"10":1,"9":2},"b":1,"\ufb00":2,"\u{1f600}":1}'
    )
  })

  test('whatever follows the first value is ignored', () => {
    fc.assert(
      fc.property(
        fc.oneof(object, fc.array(value, { maxLength: 3 })),
        fc.constantFrom('', ' ', '\n', 'trailing', '{}', ']', '"', '\u0000'),
        fc.constantFrom('', ' ', '\t\n'),
        (one, after, before) => {
          assert.deepEqual(
            parseFirst(Buffer.from(`${before}${JSON.stringify(one)}${after}`)),
            JSON.parse(JSON.stringify(one))
          )
        }
      )
    )
  })

  test('a broken value is refused, not repaired', () => {
    for (const text of [
      '',
      ' ',
      '{',
      '[',
      '{"a"}',
      '{"a":1',
      '{"a":"b}',
      'tru',
      'nullx',
      '\ufeff{}',
      "{'a':1}",
      '{"a":01}',
      '{"a":1,}',
      '{]}'
    ])
      assert.throws(() => parseFirst(Buffer.from(text)), InvalidBody, text)
  })
})
