import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { eventually } from '../../../../core/test/eventually.ts'
import { createTestApp, createTestDatabase } from '../../../../core/testing.ts'
import type { Proposal } from '../../written/proposal.ts'
import { simulatedApp } from '../simulated-app.ts'
import { proposal, reading } from './proposals.ts'

interface Written {
  readonly name: string
  readonly version: number
  readonly state: string
  readonly hash: string
  readonly calls: number
  readonly warnings: readonly string[]
  readonly tests: readonly { passed: boolean; message: string | null }[]
}

const newHome = (): string => mkdtempSync(path.join(tmpdir(), 'rayne-written-'))

async function written(t: TestContext, env: Readonly<Record<string, string>> = {}) {
  const home = newHome()
  // The strongest level this machine gives: where it gives no namespace, the tools are the same.
  const own = { RAYNE_HOME: home, RAYNE_RCA_SANDBOX: 'permission' }
  const { app } = await simulatedApp(t, 's1', { ...own, ...env })
  const propose = (body: object) =>
    app.call<{ success: boolean; tool: Written; error?: string }>(
      'POST',
      '/v1/rca/tools/create-function',
      body
    )
  const decide = (name: string, what: string, body: object = {}) =>
    app.call<Written & { error?: string }>('POST', `/v1/rca/tools/${name}/${what}`, body)
  const approved = async (one: Proposal): Promise<Written> => {
    const { body } = await propose(one)
    assert.equal(body.tool?.state, 'tested', JSON.stringify(body))
    const { version, hash } = body.tool
    return (await decide(one.name, 'approve', { version, hash })).body
  }
  const execute = (tool: string, params: object) =>
    app.call<{ result: unknown; error?: string }>('POST', '/v1/rca/tools/execute', { tool, params })
  return { app, home, propose, decide, approved, execute }
}

describe('a tool written at run time', () => {
  test('is proposed, tested, approved and called without a restart, and shown as a file', async t => {
    const { propose, decide, execute, app, home } = await written(t)
    const { status, body } = await propose(proposal())
    assert.equal(status, 200, JSON.stringify(body))
    assert.deepEqual([body.tool.state, body.tool.version], ['tested', 1])
    assert.deepEqual(
      body.tool.tests.map(one => one.passed),
      [true]
    )
    assert.equal((await execute('double_a_number', { number: 4 })).status, 404)
    const wrong = await decide('double_a_number', 'approve', { version: 1, hash: '0'.repeat(64) })
    assert.equal(wrong.status, 409)
    const { hash } = body.tool
    assert.equal((await decide('double_a_number', 'approve', { version: 1, hash })).status, 200)
    const answer = await execute('double_a_number', { number: 4 })
    assert.deepEqual(answer.body.result, { doubled: 8 }, JSON.stringify(answer.body))
    assert.match(
      (await execute('double_a_number', { number: 'x' })).body.error ?? '',
      /number must be integer/
    )
    const listed = await app.call<{ tools: { name: string }[] }>('GET', '/v1/rca/tools')
    assert.ok(listed.body.tools.some(({ name }) => name === 'double_a_number'))
    const file = path.join(home, 'tools', 'auto', 'double_a_number.ts')
    assert.match(readFileSync(file, 'utf8'), /sha256 .*\n.*Doubles[^]*input\.number \* 2/)
  })

  test('reads Datadog within its capabilities and nothing else', async t => {
    const { approved, execute } = await written(t)
    await approved(reading())
    const sneaky = reading({
      name: 'read_everything',
      source:
        'export default async (input, { datadog }) => {\n' +
        '  const got = []\n' +
        "  for (const path of ['/api/v1/api_key', '/api/v1/monitor/../api_key', '/api/v1/monitor/1/2', '/api/v1/monitor/7'])\n" +
        '    try { got.push(JSON.stringify(await datadog.get(path))) } catch (error) { got.push(error.message) }\n' +
        "  return { name: got.join(' | ') }\n}",
      examples: [{ input: { id: '7' } }]
    })
    await approved(sneaky)
    const { body } = await execute('read_everything', { id: '1' })
    const { name } = body.result as { name: string }
    assert.match(name, /^'\/api\/v1\/api_key' is none of its capabilities/)
    assert.match(name, /\| '\/api\/v1\/monitor\/\.\.\/api_key' is none/)
  })

  test('that fails its examples is a draft, and what is wrong is said by field', async t => {
    const { propose, decide, execute } = await written(t)
    const failing = await propose(
      proposal({ source: "export default () => { throw new Error('not today') }" })
    )
    assert.deepEqual([failing.body.success, failing.body.tool.state], [false, 'draft'])
    assert.match(failing.body.tool.tests[0]?.message ?? '', /not today/)
    const { hash } = failing.body.tool
    assert.equal((await decide('double_a_number', 'approve', { version: 1, hash })).status, 409)
    const lying = await propose(proposal({ source: 'export default () => ({ doubled: "two" })' }))
    assert.match(lying.body.tool.tests[0]?.message ?? '', /not as it says/)
    const bad = await propose(
      proposal({ source: 'export default () => process.env', input: { type: 'array' } })
    )
    assert.equal(bad.status, 400)
    assert.match(bad.body.error ?? '', /\/body\/input needs .*\/body\/source line 1: 'process'/)
    assert.equal((await propose(proposal({ name: 'search_logs' }))).status, 400)
    for (const name of [
      '../../x',
      '__proto__',
      '',
      'A_b',
      'a'.repeat(10_000),
      'a\u0000b',
      'sеarch'
    ])
      assert.equal((await propose({ ...proposal(), name })).status, 400, name.slice(0, 20))
    assert.equal((await execute('double_a_number', { number: 1 })).status, 404)
  })

  test('of the first version is taken by its two fields', async t => {
    const { propose } = await written(t)
    const old = {
      module_name: 'answer_something',
      function_code: 'export default () => ({ n: 1 })'
    }
    const { status, body } = await propose(old)
    assert.deepEqual([status, body.tool.state], [200, 'tested'])
    const python = await propose({ ...old, function_code: 'def run():\n  return 1' })
    assert.match(python.body.error ?? '', /function_code must be TypeScript/)
  })

  test('is rolled back to the version before, and rejected from service', async t => {
    const { approved, decide, execute } = await written(t)
    await approved(proposal())
    await approved(
      proposal({ source: 'export default (input) => ({ doubled: input.number * 3 })' })
    )
    const call = async () => (await execute('double_a_number', { number: 1 })).body.result
    assert.deepEqual(await call(), { doubled: 3 })
    assert.equal((await decide('double_a_number', 'roll-back')).body.version, 1)
    assert.deepEqual(await call(), { doubled: 2 })
    assert.equal((await decide('double_a_number', 'reject', { version: 1 })).body.state, 'rejected')
    assert.equal((await execute('double_a_number', { number: 1 })).status, 404)
  })

  test('with one changed byte, in the table or in its file, is a draft again', async t => {
    const { approved, app, home, execute } = await written(t)
    await approved(proposal())
    const other = proposal({ name: 'double_another' })
    await approved(other)
    assert.equal((await execute('double_another', { number: 1 })).status, 200)
    await app
      .db('rca_written_tools')
      .where({ name: 'double_a_number' })
      .update({
        proposal: JSON.stringify({ ...proposal(), source: `${proposal().source}\n` }),
        changed_at: app.db.fn.now()
      })
    const file = path.join(home, 'tools', 'auto', 'double_another.ts')
    writeFileSync(file, `${readFileSync(file, 'utf8')} `)
    await app
      .db('rca_written_tools')
      .where({ name: 'double_another' })
      .update({ note: 'x', changed_at: new Date() })
    await new Promise(resolve => setTimeout(resolve, 600))
    for (const name of ['double_a_number', 'double_another']) {
      assert.equal((await execute(name, { number: 1 })).status, 404, name)
      const rows = await app.db('rca_written_tools').where({ name })
      assert.deepEqual([rows[0].state, rows[0].note], ['draft', 'it is not what was approved'])
    }
  })

  test('that fails too often is quarantined, and a canary that holds is active', async t => {
    const { approved, app, execute } = await written(t)
    await approved(
      proposal({
        source:
          'export default (input) => { if (input.number > 5) throw new Error("big"); return { doubled: 0 } }'
      })
    )
    const state = async () =>
      (await app.db('rca_written_tools').where({ name: 'double_a_number' }).first()).state
    assert.equal(await state(), 'canary')
    for (let n = 0; n < 20; n++) await execute('double_a_number', { number: 1 })
    assert.equal(await state(), 'active')
    for (let n = 0; n < 5; n++)
      assert.equal((await execute('double_a_number', { number: 9 })).status, 502)
    assert.equal(await state(), 'quarantined')
    assert.equal((await execute('double_a_number', { number: 1 })).status, 404)
  })

  test('is decided on by a person alone', async t => {
    const { app, propose } = await written(t, { RAYNE_AUTH: 'required' })
    const { token } = await app.store.addToken('a program', ['admin'])
    const headers = { authorization: `Bearer ${token}` }
    const { body } = await app.call<{ tool: Written }>(
      'POST',
      '/v1/rca/tools/create-function',
      proposal(),
      headers
    )
    const { version, hash } = body.tool
    const refused = await app.call<{ type: string }>(
      'POST',
      '/v1/rca/tools/double_a_number/approve',
      { version, hash },
      headers
    )
    assert.deepEqual(
      [refused.status, refused.body.type],
      [403, 'urn:rayne:error:approved-by-people']
    )
    assert.equal((await propose(proposal())).status, 401)
  })
})

test('a client that is connected proposes a tool, and calls it once a person has approved it', async t => {
  const { app, decide } = await written(t)
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', app.url)))
  t.after(() => client.close())
  const proposed = await client.callTool({ name: 'create_tool', arguments: { ...proposal() } })
  const said = proposed.structuredContent as { state: string; hash: string; next: string }
  assert.equal(said.state, 'tested', JSON.stringify(proposed))
  assert.match(said.next, /rayne tools approve double_a_number 1 --hash/)
  const call = () => client.callTool({ name: 'double_a_number', arguments: { number: 21 } })
  await assert.rejects(call(), /there is no tool 'double_a_number'/)
  const approvedAt = performance.now()
  await decide('double_a_number', 'approve', { version: 1, hash: said.hash })
  assert.deepEqual((await call()).structuredContent, { doubled: 42 })
  t.diagnostic(`approval to answer ${Math.round(performance.now() - approvedAt)} ms`)
  const { tools } = await client.listTools()
  assert.ok(tools.some(({ name }) => name === 'double_a_number'))
})

test('a client with a session is told when an approval changes the list of tools', async t => {
  const { app, approved } = await written(t)
  const client = new OldClient({ name: 'test', version: '1.0.0' })
  let told = 0
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    told += 1
  })
  await client.connect(new OldTransport(new URL('/mcp', app.url)) as Transport)
  t.after(() => client.close())
  const before = await client.listTools()
  assert.ok(before.tools.length > 0)
  await approved(proposal())
  await eventually('the change to be told', () => told > 0)
})

test('both of two replicas serve what one of them approved', async t => {
  const connection = await createTestDatabase(t)
  const { default: rca } = await import('../../plugin.ts')
  const { default: webhooks } = await import('../../../webhooks/plugin.ts')
  const { default: proxy } = await import('../../../datadog-proxy/plugin.ts')
  const plugins = [proxy, rca, webhooks]
  const open = () =>
    createTestApp(t, {
      plugins,
      connection,
      env: { RAYNE_HOME: newHome(), RAYNE_RCA_SANDBOX: 'permission' }
    })
  const [one, two] = [await open(), await open()]
  const ask = (app: typeof one) =>
    app.call<{ result: unknown }>('POST', '/v1/rca/tools/execute', {
      tool: 'double_a_number',
      params: { number: 2 }
    })
  assert.equal((await ask(two)).status, 404)
  const { body } = await one.call<{ tool: Written }>(
    'POST',
    '/v1/rca/tools/create-function',
    proposal()
  )
  const { version, hash } = body.tool
  await one.call('POST', '/v1/rca/tools/double_a_number/approve', { version, hash })
  await new Promise(resolve => setTimeout(resolve, 600))
  for (const app of [one, two]) assert.deepEqual((await ask(app)).body.result, { doubled: 4 })
})

test('nobody is asked only where it is development, and elsewhere the server does not start', async t => {
  const { propose, execute } = await written(t, {
    RAYNE_RCA_AUTO_APPROVE: 'true',
    NODE_ENV: 'development'
  })
  assert.equal((await propose(proposal())).body.tool.state, 'canary')
  assert.equal((await execute('double_a_number', { number: 1 })).status, 200)
  await assert.rejects(
    written(t, { RAYNE_RCA_AUTO_APPROVE: 'true', NODE_ENV: 'production' }),
    /NODE_ENV=development alone/
  )
})
