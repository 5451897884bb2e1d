import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { after, test } from 'node:test'
import assert from 'node:assert/strict'
import { createTestApp } from '../../../../../core/testing.ts'
import { fixture } from './fixture.ts'

const suite = path.join(
  path.dirname(
    createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')
  ),
  'dist/index.js'
)

/** Runs the suite as its users do; answers its exit code and what it printed. */
async function run(...words: readonly string[]): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [suite, 'server', ...words], {
    stdio: ['ignore', 'pipe', 'pipe']
  })
  after(() => child.kill())
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')))
  const code = await new Promise<number | null>(resolve => child.once('close', resolve))
  return { code, said }
}

for (const revision of ['2025-11-25', '2026-07-28'])
  test(`every scenario that ${revision} requires`, { timeout: 300_000 }, async t => {
    const { url } = await createTestApp(t, { plugins: [fixture] })
    const { code, said } = await run('--url', `${url}/mcp`, '--requirements', revision)
    const summary = said.slice(said.lastIndexOf('=== SUMMARY'))
    t.diagnostic(summary.replace(/\s*\n/g, ' | ').slice(0, 3_000))
    assert.equal(code, 0, said.slice(-6_000))
  })
