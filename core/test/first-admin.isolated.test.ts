import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { atEnd, createTestDatabase, urlOf } from '../testing.ts'
import { eventually } from './eventually.ts'

const bin = fileURLToPath(new URL('../bin.js', import.meta.url))
const password = 'correct horse battery'

/** Starts the command as a person does, in protected mode, and reads what stands on the terminal. */
async function startProtected(t: TestContext, databaseUrl: string): Promise<{ said: string }> {
  const home = mkdtempSync(path.join(tmpdir(), 'rayne-start-'))
  const child = spawn(process.execPath, [bin, 'start'], {
    cwd: home,
    env: {
      ...process.env,
      PORT: '0',
      RAYNE_HOME: home,
      RAYNE_AUTH: 'required',
      RAYNE_PLUGINS: 'webhooks',
      DATABASE_URL: databaseUrl
    },
    stdio: ['ignore', 'ignore', 'pipe']
  })
  atEnd(t, async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      await ended
    }
    rmSync(home, { recursive: true, force: true })
  })
  const terminal = { said: '' }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (terminal.said += text))
  await eventually('the start', () => /ok {3}database|exited/.test(terminal.said), 60_000)
  return terminal
}

const post = async (url: string, body: unknown) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

test('the link that a protected start prints makes the first admin, who can log in', async t => {
  const connection = await createTestDatabase(t)
  const { said } = await startProtected(t, urlOf(connection))
  assert.doesNotMatch(said, /redacted/, said)
  assert.match(said, /X-Rayne-Token: <ingest secret>/)
  const [, base, setup] = /First admin (http:\S+)\/setup#(\S+)/.exec(said) ?? []
  assert.equal((await fetch(`${base}/setup`)).status, 200)

  const made = await post(`${base}/register`, { name: 'root', password, setup })
  assert.deepEqual([made.status, made.body['role']], [201, 'admin'], JSON.stringify(made.body))
  const again = await post(`${base}/register`, { name: 'eve', password, setup })
  assert.deepEqual([again.status, again.body['type']], [403, 'urn:rayne:error:setup-spent'])
  const login = await post(`${base}/login`, { name: 'root', password })
  assert.equal(login.status, 200)
  const cookie = `rayne_session=${String(login.body['session'])}`
  assert.equal((await fetch(`${base}/v1/jobs`, { headers: { cookie } })).status, 200)

  const { said: later } = await startProtected(t, urlOf(connection))
  assert.doesNotMatch(later, /First admin|setup#/, 'there is a user, so there is no link')
})
