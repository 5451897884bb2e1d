import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { definePlugin, Type } from '../index.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly responses: Record<
    string,
    { description: string; content?: Record<string, { schema: unknown }> }
  >
  readonly parameters?: { name: string; in: string; required: boolean; schema: unknown }[]
  readonly requestBody?: { content: Record<string, { schema: unknown }> }
  readonly security: Record<string, string[]>[]
  readonly tags: string[]
}
interface Document {
  readonly openapi: string
  readonly info: { title: string; version: string }
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    schemas: Record<string, unknown>
    securitySchemes: Record<string, { type: string }>
  }
}

/** What a reader of OpenAPI 3.1 relies on, and a little of what only its authors know. */
function checkDocument(document: Document): Operation[] {
  assert.equal(document.openapi, '3.1.0')
  assert.ok(document.info.title && document.info.version)
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation }))
  )
  for (const { path, method, operation } of all) {
    const where = `${method} ${path}`
    assert.ok(path.startsWith('/') && !path.includes(':') && !path.includes('?'), where)
    assert.match(method, /^(get|post|put|patch|delete|head|options|trace)$/, where)
    assert.ok(operation.summary && operation.tags.length === 1, where)
    const declared = (operation.parameters ?? [])
      .filter(one => one.in === 'path')
      .map(one => {
        assert.equal(one.required, true, where)
        return one.name
      })
    assert.deepEqual(
      declared.toSorted(),
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).toSorted(),
      `${where}: parameters of the path`
    )
    assert.ok(!(method === 'get' && operation.requestBody), where)
    assert.ok(
      Object.keys(operation.responses).some(status => /^[23]/.test(status)) &&
        operation.responses['default'],
      where
    )
    for (const [status, response] of Object.entries(operation.responses))
      assert.ok(/^(\d{3}|default)$/.test(status) && response.description, `${where} ${status}`)
    for (const scheme of operation.security.flatMap(one => Object.keys(one)))
      assert.ok(document.components.securitySchemes[scheme], `${where}: ${scheme}`)
  }
  const ids = all.map(({ operation }) => operation.operationId)
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
    'operation ids are unique'
  )
  for (const [, reference = ''] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    const target = reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>(
        (value, key) => (value as Record<string, unknown> | undefined)?.[key],
        document
      )
    assert.ok(reference.startsWith('#/') && target, reference)
  }
  return all.map(({ operation }) => operation)
}

const Params = Type.Object({ id: Type.Integer() })
const plugin = definePlugin({
  id: 'items',
  version: '1.0.0',
  register(app) {
    app.route({
      method: 'PUT',
      path: '/{id}',
      auth: 'scope:tools',
      summary: 'Put an item',
      description: 'Long words.',
      params: Params,
      query: Type.Object({ dry: Type.Optional(Type.Boolean()) }),
      body: Type.Object({ name: Type.String(), key: Type.String({ writeOnly: true }) }),
      response: Params,
      status: 201,
      also: { 409: 'taken' },
      handle: ({ params }) => params
    })
    app.route({
      method: 'POST',
      path: '/raw',
      auth: 'ingest',
      summary: 'Take bytes',
      rawBody: true,
      response: Type.Object({}),
      handle: () => ({})
    })
    app.raw('GET', '/items/{name}/stream', { summary: 'Stream', auth: 'user' }, ctx => {
      ctx.body = 'x'
    })
  }
})

describe('openapi', () => {
  test('holds every operation of the platform and its plugins, and is well formed', async t => {
    const app = await createTestApp(t, { plugins: await loadPlugins(builtInPlugins()) })
    const { body } = (await app.call('GET', '/openapi.json')) as { body: Document }
    const operations = checkDocument(body)
    // What takes every method is an answer to anything else, and no operation.
    const described = app.router.operations.filter(one => one.method !== '*')
    assert.deepEqual(
      app.router.operations.filter(one => one.method === '*').map(one => one.path),
      ['/api/*rest', '/k/{key}/api/*rest']
    )
    assert.equal(operations.length, described.length)
    for (const { method, path, summary } of described)
      assert.equal(body.paths[path]?.[method.toLowerCase()]?.summary, summary, `${method} ${path}`)
  })

  test('says what a route says', async t => {
    const app = await createTestApp(t, { plugins: [plugin] })
    const { body } = (await app.call('GET', '/openapi.json')) as { body: Document }
    checkDocument(body)
    const put = body.paths['/v1/items/{id}']?.['put']
    assert.deepEqual(put?.parameters, [
      { name: 'id', in: 'path', required: true, schema: { type: 'integer' } },
      { name: 'dry', in: 'query', required: false, schema: { type: 'boolean' } }
    ])
    assert.deepEqual(put?.requestBody?.content['application/json']?.schema, {
      type: 'object',
      required: ['name', 'key'],
      properties: { name: { type: 'string' }, key: { type: 'string', writeOnly: true } }
    })
    assert.deepEqual(Object.keys(put?.responses ?? {}), ['201', '409', 'default'])
    assert.deepEqual(put?.security, [{ token: [] }, { session: [] }])
    assert.deepEqual(body.paths['/v1/items/raw']?.['post']?.security, [
      { token: [] },
      { basic: [] },
      { ingestToken: [] }
    ])
    assert.deepEqual(body.paths['/healthz']?.['get']?.security, [])
    assert.ok(body.paths['/items/{name}/stream']?.['get'])
  })
})
