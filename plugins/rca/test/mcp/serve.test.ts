import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { definePlugin, defineTool, Type } from '../../../../core/index.ts'
import { createTestApp } from '../../../../core/testing.ts'
import { createSimulator } from '../../../../simulator/simulator.ts'
import proxy from '../../../datadog-proxy/plugin.ts'
import demo from '../../../demo/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import { maxAnswerChars } from '../../mcp/fit-answer.ts'
import rca from '../../plugin.ts'

interface Answer {
  readonly isError?: boolean
  readonly content: readonly { readonly text?: string }[]
  readonly structuredContent?: {
    readonly rows: readonly Record<string, unknown>[]
    readonly truncated: boolean
    readonly note: string | null
  }
}
/** What the tests ask of either client. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<unknown>
  readResource(asked: { uri: string }): Promise<{ contents: object[] }>
  close(): Promise<void>
}

const Rows = Type.Object({
  rows: Type.Array(Type.Object({ n: Type.Integer(), text: Type.String() })),
  truncated: Type.Boolean(),
  note: Type.Union([Type.String(), Type.Null()])
})
/** Tools of a plugin: one of many rows, one that changes something, one that breaks. */
const others = definePlugin({
  id: 'others',
  version: '1.0.0',
  register(app) {
    const common = { input: Type.Object({}), timeoutMs: 5_000, examples: [], output: Rows }
    const none = { rows: [], truncated: false, note: null }
    app.tool(
      defineTool({
        ...common,
        name: 'many_rows',
        title: 'Many rows',
        effect: 'read',
        description: 'Rows without end. It cannot stop.',
        run: () =>
          Promise.resolve({
            ...none,
            rows: Array.from({ length: 5_000 }, (_, n) => ({ n, text: 'x'.repeat(200) }))
          })
      })
    )
    app.tool(
      defineTool({
        ...common,
        name: 'write_something',
        title: 'Write',
        effect: 'write',
        description: 'Changes something. It cannot undo.',
        run: () => Promise.resolve(none)
      })
    )
    app.tool(
      defineTool({
        ...common,
        name: 'broken_tool',
        title: 'Broken',
        effect: 'read',
        description: 'Always fails. It cannot succeed.',
        run: () => Promise.reject(new Error('the secret is 0123456789'))
      })
    )
  }
})

async function start(t: TestContext, env: Record<string, string> = {}) {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  return createTestApp(t, {
    plugins: [demo, proxy, webhooks, rca, others],
    env: {
      RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts),
      RAYNE_DEMO_FIRE: 'false',
      ...env
    }
  })
}

async function connect(t: TestContext, url: string, headers = {}): Promise<Client> {
  const client = new Client({ name: 'test', version: '1.0.0' })
  const address = new URL('/mcp', url)
  await client.connect(new StreamableHTTPClientTransport(address, { requestInit: { headers } }))
  t.after(() => client.close())
  return client
}
async function connectOld(t: TestContext, url: string): Promise<OldClient> {
  const client = new OldClient({ name: 'test', version: '1.0.0' })
  const transport = new OldTransport(new URL('/mcp', url))
  await client.connect(transport as Parameters<typeof client.connect>[0])
  t.after(() => client.close())
  return client
}

const call = (client: AnyClient, name: string, input = {}): Promise<Answer> =>
  client.callTool({ name, arguments: input }) as Promise<Answer>
const textOf = ({ content }: Answer): string => content[0]?.text ?? ''

describe('a client of each library', () => {
  for (const [library, open] of [
    ['2026-07-28', connect],
    ['2025-11-25', connectOld]
  ] as const)
    test(`of ${library} lists and calls the tools`, async t => {
      const { url } = await start(t)
      const client: AnyClient = await open(t, url)
      const { tools } = await client.listTools()
      const names = tools.map(({ name }) => name)
      assert.deepEqual(names, names.toSorted())
      for (const name of ['call_tool', 'search_tools', 'get_monitor_details', 'list_accounts'])
        assert.ok(names.includes(name), names.join())
      assert.ok(JSON.stringify(tools).length / 4 < 4_000, 'the list is too heavy for a model')

      const found = await call(client, 'get_monitors', { query: 'status:alert' })
      assert.equal(found.structuredContent?.rows.length, 1)
      assert.deepEqual(JSON.parse(textOf(found)), found.structuredContent)

      const asked = { words: 'monitor id' }
      const searched = JSON.parse(textOf(await call(client, 'search_tools', asked))) as {
        tools: { name: string }[]
      }
      assert.ok(searched.tools.some(({ name }) => name === 'get_monitor_details'))
      const through = await call(client, 'call_tool', {
        name: 'get_monitors',
        arguments: { query: 'status:alert', account: 'nobody' }
      })
      assert.match(textOf(through), /^account-not-found: /)
    })
})

test('what goes wrong is an answer that names the field, and tells nothing else', async t => {
  const { url } = await start(t)
  const client = await connect(t, url)
  for (const [name, input, expected] of [
    ['get_monitors', {}, /^invalid-input: \/input\/query is required/],
    ['get_monitors', { query: '', account: 7 }, /account must be a text/],
    ['call_tool', { name: 'nobody', arguments: {} }, /^tool-not-found: .*get_monitors/],
    ['call_tool', {}, /name is required/],
    ['search_tools', { words: 7 }, /words must be/],
    ['broken_tool', {}, /^internal: broken_tool failed; the log says why$/]
  ] as const) {
    const answer = await call(client, name, input)
    assert.equal(answer.isError, true, name)
    assert.match(textOf(answer), expected)
  }
  await assert.rejects(call(client, 'nobody'), /there is no tool 'nobody'; there are/)
})

test('an answer that is too large is cut, says so, and is there page by page', async t => {
  const { url } = await start(t)
  const client: AnyClient = await connect(t, url)
  const answer = await call(client, 'many_rows')
  const { rows = [], truncated, note } = answer.structuredContent ?? {}
  assert.ok(textOf(answer).length <= maxAnswerChars, `${textOf(answer).length} characters`)
  assert.equal(truncated, true)
  const [, shown, all, pages, first = ''] =
    /: (\d+) of (\d+) rows are shown; all are in (\d+) pages from (\S+),/.exec(note ?? '') ?? []
  assert.deepEqual([Number(shown), Number(all)], [rows.length, 5_000])
  const read: { n: number }[] = []
  for (let page = 1; page <= Number(pages); page++) {
    const uri = first.replace(/\d+$/, String(page))
    const [content] = (await client.readResource({ uri })).contents as { text?: string }[]
    read.push(...(JSON.parse(content?.text ?? '[]') as { n: number }[]))
  }
  assert.deepEqual(
    read.map(({ n }) => n),
    Array.from({ length: 5_000 }, (_, n) => n)
  )
  await assert.rejects(client.readResource({ uri: first.replace(/\d+$/, '999') }), /not found/i)
})

test('read-only mode shows and calls no tool that writes, even by name', async t => {
  const { url } = await start(t, { RAYNE_RCA_MCP_READ_ONLY: 'true' })
  const client = await connect(t, url)
  const { tools } = await client.listTools()
  assert.equal(tools.filter(({ name }) => name === 'write_something').length, 0)
  await assert.rejects(call(client, 'write_something'), /there is no tool 'write_something'/)
  const through = await call(client, 'call_tool', { name: 'write_something', arguments: {} })
  assert.match(textOf(through), /^tool-not-found/)
  const searched = await call(client, 'search_tools', { words: '' })
  assert.doesNotMatch(textOf(searched), /write_something/)
})

test('a caller who asks too often is told how long to wait', async t => {
  const { url } = await start(t, { RAYNE_RCA_MCP_CALLS_PER_MINUTE: '2' })
  const client = await connect(t, url)
  await call(client, 'list_accounts')
  await call(client, 'list_accounts')
  const third = await call(client, 'list_accounts')
  assert.equal(third.isError, true)
  assert.match(textOf(third), /^too-many-calls: wait \d+ s/)
})

test('prompts are plans with the tools that exist', async t => {
  const { url } = await start(t)
  const client = await connect(t, url)
  const { prompts } = await client.listPrompts()
  const found = await call(client, 'search_tools', { words: '' })
  const { tools, more } = JSON.parse(textOf(found)) as { tools: { name: string }[]; more: string[] }
  const known = [...tools.map(({ name }) => name), ...more, 'search_tools']
  assert.deepEqual(
    prompts.map(({ name }) => name),
    ['triage', 'investigate', 'compare_with_past', 'write_post_mortem', 'review_tool']
  )
  for (const { name, arguments: named = [] } of prompts) {
    const given = Object.fromEntries(named.map(each => [each.name, 'over\nhere']))
    const { messages } = await client.getPrompt({ name, arguments: given })
    const content = messages[0]?.content
    const text = content?.type === 'text' ? content.text : ''
    for (const [tool] of text.matchAll(/\b(?:get|search|query|list)_[a-z_]+/g))
      assert.ok(known.includes(tool), `${name} speaks of ${tool}`)
    assert.doesNotMatch(text, /\{\w+\}/)
    assert.equal(text.includes('over here'), named.length > 0)
  }
  await assert.rejects(client.getPrompt({ name: 'investigate' }), /needs 'monitor'/)
})
