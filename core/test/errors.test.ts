import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { coreErrors, documentErrors } from '../errors.ts'
import { defineErrors, definePlugin, invalid, notFound, RayneError, Type } from '../index.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'
import { readSources, type SourceFile } from './source-files.ts'
import type { Node } from './syntax.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

const nodeOf = (value: unknown): Node | undefined => (value ?? undefined) as Node | undefined
const nameOf = (value: unknown): string => String(nodeOf(value)?.['name'])
const textOf = (value: unknown): string | undefined => {
  const node = nodeOf(value)
  return node?.type === 'Literal' && typeof node['value'] === 'string' ? node['value'] : undefined
}

/** The codes a file names: in errors it makes, in `notFound` and where it looks one up in a table. */
function codesIn(file: SourceFile): { readonly codes: string[]; readonly unstated: string[] } {
  const codes: string[] = []
  const unstated: string[] = []
  for (const node of file.nodes) {
    const first = nodeOf((node['arguments'] as unknown[] | undefined)?.[0])
    if (node.type === 'MemberExpression' && /^\w+Errors$/.test(nameOf(node['object']))) {
      const looked = node['computed'] ? textOf(node['property']) : nameOf(node['property'])
      if (looked !== undefined) codes.push(looked)
    }
    if (node.type === 'CallExpression' && nameOf(node['callee']) === 'notFound')
      codes.push(`${textOf(first)}-not-found`)
    if (node.type !== 'NewExpression' || nameOf(node['callee']) !== 'RayneError') continue
    const properties = (first?.['properties'] ?? []) as Node[]
    const named = new Map(properties.map(one => [nameOf(one['key']), nodeOf(one['value'])]))
    const code = textOf(named.get('code'))
    if (code !== undefined) codes.push(code)
    if (code !== undefined && named.has('status')) unstated.push(`${file.path}: ${code}`)
  }
  return { codes, unstated }
}

describe('an error', () => {
  test('takes its status from its code, and its details and cause as they are', () => {
    const cause = new Error('why')
    const error = new RayneError({ code: 'overloaded', message: 'wait', cause })
    assert.deepEqual([error.code, error.status, error.cause], ['overloaded', 503, cause])
    const own = defineErrors({ 'tea-cold': [418, 'The tea is cold.'], tea: ['upstream', 'Tea.'] })
    assert.equal(new RayneError({ code: own['tea-cold'], message: 'cold' }).status, 418)
    assert.equal(new RayneError({ code: own.tea, status: 419, message: 'x' }).status, 419)
    // @ts-expect-error a code of a table has its one status
    assert.ok(new RayneError({ code: own['tea-cold'], status: 400, message: 'cold' }))
    // @ts-expect-error a code of no table is given a status
    assert.ok(new RayneError({ code: own.tea, message: 'cold' }))
  })

  test('of a field says it in its sentence and by pointer; of an absence says where to look', () => {
    const field = invalid('/body/from', 'must lie before to')
    assert.deepEqual(
      [field.status, field.message, field.details.errors],
      [
        400,
        '/body/from must lie before to',
        [{ pointer: '/body/from', message: 'must lie before to' }]
      ]
    )
    const absent = notFound('session', 'a1', 'GET /v1/datacat/sessions')
    assert.deepEqual(
      [absent.code, absent.status, absent.message],
      ['session-not-found', 404, 'there is no session a1; GET /v1/datacat/sessions lists them']
    )
  })
})

describe('the table of errors', () => {
  test('has every code of the sources, and none that no source names', async () => {
    const plugins = await loadPlugins(builtInPlugins())
    const documented = new Set(documentErrors(plugins).map(kind => kind.code))
    const sources = readSources(root).filter(
      file => !file.isTest && !/^(bench|examples|simulator)/.test(file.path)
    )
    const found = sources.map(codesIn)
    const used = new Set(found.flatMap(one => one.codes))
    assert.ok(used.size >= 60, `${used.size} codes in ${sources.length} files`)
    assert.deepEqual(
      [...used].filter(code => !documented.has(code)),
      []
    )
    assert.deepEqual(
      [...documented].filter(code => !used.has(code)),
      []
    )
    assert.deepEqual(
      found.flatMap(one => one.unstated),
      [],
      'a status stands in a table only'
    )
  })

  test('says each in a sentence, once', async t => {
    for (const { code, about } of documentErrors(await loadPlugins(builtInPlugins())))
      assert.match(about, /^[A-Z].+\.$/, code)
    const planted = (id: string, code: string) =>
      definePlugin({
        id,
        version: '1.0.0',
        errors: defineErrors({ [code]: [400, 'Planted.'] }),
        register() {}
      })
    await assert.rejects(
      createTestApp(t, { plugins: [planted('a', 'forbidden')] }),
      /error 'forbidden' is defined by both 'core' and 'a'/
    )
    await assert.rejects(
      createTestApp(t, { plugins: [planted('a', 'own'), planted('b', 'own')] }),
      /error 'own' is defined by both 'a' and 'b'/
    )
  })

  test('is in the description of the API, with the codes of the plugins that are loaded', async t => {
    const errors = defineErrors({ 'tea-cold': [418, 'The tea is cold.'] })
    const app = await createTestApp(t, {
      plugins: [
        definePlugin({
          id: 'tea',
          version: '1.0.0',
          errors,
          register(plugin) {
            plugin.route({
              method: 'GET',
              path: '',
              auth: 'user',
              summary: 'Tea',
              response: Type.Object({}),
              handle() {
                throw new RayneError({ code: errors['tea-cold'], message: 'it is cold' })
              }
            })
          }
        })
      ]
    })
    const { body } = (await app.call('GET', '/openapi.json')) as {
      body: { info: { description: string } }
    }
    const rows = body.info.description.split('\n').filter(line => line.startsWith('| '))
    assert.equal(rows.length, 1 + Object.keys(coreErrors).length + 1)
    assert.ok(rows.includes('| tea-cold | 418 | The tea is cold. |'))
    const answer = await app.call('GET', '/v1/tea')
    assert.deepEqual([answer.status, answer.body['type']], [418, 'urn:rayne:error:tea-cold'])
  })
})
