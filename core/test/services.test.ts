import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createToken, definePlugin, type Plugin, type Token } from '../index.ts'
import { createTestApp } from '../testing.ts'

const A = createToken<string>('test.a')
const B = createToken<string>('test.b')

interface Parts {
  readonly needs?: Token<string>
  readonly wants?: Token<string>
  readonly provides?: Token<string>
  readonly keep?: boolean
  readonly optional?: boolean
  readonly fail?: string
}
const plugin = (
  id: string,
  seen: string[],
  { needs, wants, provides, keep = true, optional = false, fail }: Parts = {}
): Plugin =>
  definePlugin({
    id,
    version: '1.0.0',
    optional,
    needs: needs ? { one: needs } : {},
    wants: wants ? { other: wants } : {},
    provides: provides ? [provides] : [],
    register(app, services) {
      const { one, other } = services as { one?: string; other?: string }
      seen.push(`${id}(${one ?? ''},${other ?? ''})`)
      if (fail) throw new Error(fail)
      if (provides && keep) app.provide(provides, `from ${id}`)
    }
  })

describe('services', () => {
  test('are there in the order of need and want, whatever the order of the list', async t => {
    const seen: string[] = []
    const app = await createTestApp(t, {
      plugins: [
        plugin('c', seen, { needs: B }),
        plugin('b', seen, { wants: A, provides: B }),
        plugin('a', seen, { provides: A })
      ]
    })
    assert.deepEqual(seen, ['a(,)', 'b(,from a)', 'c(from b,)'])
    assert.deepEqual(app.plugins, ['a', 'b', 'c'])
    assert.deepEqual(Object.keys(app.timings), ['a', 'b', 'c'])
  })

  test('that are wanted may be absent', async t => {
    const seen: string[] = []
    await createTestApp(t, { plugins: [plugin('b', seen, { wants: A })] })
    assert.deepEqual(seen, ['b(,)'])
  })

  test('can be replaced by fakes', async t => {
    const seen: string[] = []
    await createTestApp(t, {
      plugins: [plugin('a', seen, { provides: A }), plugin('b', seen, { needs: A })],
      fakes: [[A, 'a fake']]
    })
    assert.deepEqual(seen, ['a(,)', 'b(a fake,)'])
  })

  const refused: readonly (readonly [string, (seen: string[]) => Plugin[], RegExp])[] = [
    [
      'a missing one',
      seen => [plugin('b', seen, { needs: A })],
      /^plugin 'b' needs 'test\.a', which no loaded plugin provides$/
    ],
    [
      'a cycle',
      seen => [
        plugin('x', seen),
        plugin('a', seen, { needs: B, provides: A }),
        plugin('b', seen, { wants: A, provides: B })
      ],
      /^plugins need each other: a → b → a$/
    ],
    [
      'two providers',
      seen => [plugin('a', seen, { provides: A }), plugin('b', seen, { provides: A })],
      /^'test\.a' is provided by both 'a' and 'b'$/
    ]
  ]
  for (const [what, plugins, message] of refused) {
    test(`refuse ${what} before anything runs`, async t => {
      const seen: string[] = []
      await assert.rejects(createTestApp(t, { plugins: plugins(seen) }), { message })
      assert.deepEqual(seen, [])
    })
  }

  test('that were promised and not provided abort the boot', async t => {
    await assert.rejects(
      createTestApp(t, { plugins: [plugin('a', [], { provides: A, keep: false })] }),
      /plugin 'a' promises 'test\.a' and did not provide it/
    )
  })

  test('provided twice by one plugin abort the boot', async t => {
    const twice = definePlugin({
      id: 'a',
      version: '1.0.0',
      provides: [A],
      register(app) {
        app.provide(A, '1')
        app.provide(A, '2')
      }
    })
    await assert.rejects(
      createTestApp(t, { plugins: [twice] }),
      /plugin 'a' provides 'test\.a' twice/
    )
  })
})

describe('a plugin that fails', () => {
  test('aborts the boot, and what was open is closed', async t => {
    const closed: string[] = []
    const first = definePlugin({
      id: 'first',
      version: '1.0.0',
      register(app) {
        app.onClose(() => {
          closed.push('first')
        })
      }
    })
    await assert.rejects(
      createTestApp(t, { plugins: [first, plugin('second', [], { fail: 'no luck' })] }),
      /no luck/
    )
    assert.deepEqual(closed, ['first'])
  })

  test('and is optional is left out, and /readyz says so', async t => {
    const app = await createTestApp(t, {
      plugins: [plugin('extra', [], { optional: true, fail: 'no luck' })]
    })
    const { status, body } = (await app.call('GET', '/readyz')) as {
      status: number
      body: { checks: { name: string; ok: boolean; detail: string }[] }
    }
    assert.equal(status, 200)
    const check = body.checks.find(one => one.name === 'plugin:extra')
    assert.equal(check?.ok, false)
    assert.match(check?.detail ?? '', /left out: no luck/)
  })

  test('and is optional, but needed by another, aborts the boot by name', async t => {
    const plugins = [
      plugin('extra', [], { optional: true, provides: A, fail: 'no luck' }),
      plugin('eager', [], { needs: A })
    ]
    await assert.rejects(createTestApp(t, { plugins }), /plugin 'eager' needs 'test\.a'/)
  })
})
