import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { createTestDatabase, rayne, urlOf } from '../../../../core/testing.ts'

const bin = fileURLToPath(new URL('../../../../core/bin.js', import.meta.url))

test('a client that starts the program gets the tools, and nothing else on stdout', async t => {
  const env = { DATABASE_URL: urlOf(await createTestDatabase(t)), PATH: process.env['PATH'] ?? '' }
  const client = new Client({ name: 'test', version: '1.0.0' })
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bin, 'mcp'],
    env,
    cwd: tmpdir(),
    stderr: 'ignore'
  })
  // Anything that is no message is an error of the transport.
  const odd: Error[] = []
  Object.assign(client, { onerror: (error: Error) => odd.push(error) })
  await client.connect(transport)
  const { tools } = await client.listTools()
  assert.ok(tools.some(({ name }) => name === 'search_logs'))
  const { content } = await client.callTool({ name: 'list_accounts', arguments: {} })
  assert.match(JSON.stringify(content), /simulated/)
  await client.close()
  assert.deepEqual(odd, [])
})

test('the configuration of a client needs no database', async () => {
  const { code, stdout } = await rayne(['mcp', '--print-config', 'claude-desktop'])
  assert.equal(code, 0)
  assert.match(stdout, /"mcpServers"/)
  const wrong = await rayne(['mcp', '--print-config', 'emacs'])
  assert.equal(wrong.code, 2)
  assert.match(wrong.stderr, /claude-code, claude-desktop, inspector/)
})
