import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { eventually } from '../../../../core/test/eventually.ts'
import type { Call } from '../../sandbox/pool.ts'
import { openSandbox, type Sandbox } from '../../sandbox/sandbox.ts'
import { levels, ways, type Level } from '../../sandbox/start-child.ts'
import { hostilePrograms, type Bait } from './programs.ts'

const canary = 'canary-7f3a9c51'
// Enough for what ends by itself, on a machine that is late; what never ends gets less.
const patientMs = 20_000
const limits = {
  timeoutMs: patientMs,
  memoryBytes: 32 * 1_048_576,
  stackBytes: 262_144,
  outputBytes: 65_536
}
const asked: string[] = []
const call = (code: string, more: Partial<Call> = {}): Call => ({
  tool: 'hostile',
  code,
  input: '{"x":1}',
  limits,
  signal: AbortSignal.timeout(120_000),
  ask: question => {
    asked.push(question)
    return Promise.reject(new Error('no capability'))
  },
  ...more
})

async function openBait() {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-bait-'))
  const secretFile = path.join(folder, 'secret')
  writeFileSync(secretFile, canary, { mode: 0o644 })
  symlinkSync(secretFile, `${secretFile}.link`)
  process.env['RAYNE_CANARY'] = canary
  let packets = 0
  const tcp = createServer(() => (packets += 1)).listen(0, '127.0.0.1')
  const unix = createServer(() => (packets += 1)).listen(path.join(folder, 'socket'))
  const udp = createSocket('udp4').on('message', () => (packets += 1))
  udp.bind(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(unix, 'listening'), once(udp, 'listening')])
  const address = tcp.address()
  const bait: Bait = {
    secretFile,
    newFile: path.join(folder, 'new'),
    parentPid: process.pid,
    tcpPort: typeof address === 'object' ? (address?.port ?? 0) : 0,
    udpPort: udp.address().port,
    socketPath: path.join(folder, 'socket')
  }
  const close = (): void => {
    delete process.env['RAYNE_CANARY']
    tcp.close()
    unix.close()
    udp.close()
  }
  return { bait, packets: () => packets, close }
}

/** Only this level's ways, so that each is tried and not the best alone. */
const open = (level: Level): Sandbox =>
  openSandbox({ minimum: level, maxWaiting: 12, ways: ways().filter(way => way.level === level) })

/** Why a level cannot be had here; that of the permission model is there wherever Node is. */
async function missing(level: Level): Promise<string | undefined> {
  const sandbox = open(level)
  const { refused } = await sandbox.standing()
  await sandbox.close()
  return level === 'permission' ? undefined : refused
}

for (const level of levels) {
  const skip = (await missing(level)) ?? false
  describe(`hostile programs at level ${level}`, { skip }, () => {
    let sandbox: Sandbox
    let baits: Awaited<ReturnType<typeof openBait>>
    before(async () => {
      baits = await openBait()
      sandbox = open(level)
    })
    after(async () => {
      const pids = await sandbox.pids()
      await sandbox.close()
      await eventually('the children to end', () => pids.every(pid => !existsSync(`/proc/${pid}`)))
      baits.close()
    })

    test('each ends as it must, gets nothing, and leaves the next call clean', async () => {
      const programs = hostilePrograms(baits.bait)
      assert.ok(programs.length > 80, `${programs.length} programs`)
      for (const { id, code, ends } of programs) {
        const started = performance.now()
        const endless = ends.includes('timeout')
        const own = { ...limits, timeoutMs: endless ? 500 : patientMs }
        const outcome = await sandbox.run(call(code, { limits: own }))
        const tookMs = performance.now() - started
        const end = outcome.ok ? 'nothing' : outcome.kind
        assert.ok((ends as string[]).includes(end), `${id} ended as ${JSON.stringify(outcome)}`)
        assert.ok(!JSON.stringify(outcome).includes(canary), `${id} got the secret`)
        assert.ok(JSON.stringify(outcome).length < 70_000, `${id} answered too much`)
        assert.doesNotMatch(JSON.stringify(outcome), /\/work|node_modules|\[object process\]/, id)
        assert.ok(tookMs < own.timeoutMs + 10_000, `${id} took ${tookMs} ms`)
        const next = await sandbox.run(
          call(
            'export default input => ({ x: input.x, left: Object.keys(Object.prototype).length })'
          )
        )
        assert.deepEqual(next, { ok: true, text: '{"x":1,"left":0}' }, `after ${id}`)
      }
      assert.equal(baits.packets(), 0)
      assert.equal(existsSync(baits.bait.newFile), false)
      assert.equal(readFileSync(baits.bait.secretFile, 'utf8'), canary)
      assert.equal(Reflect.get({}, 'polluted'), undefined)
      assert.ok(asked.length > 0, 'a program asked')
    })

    test('a thousand endless calls are few processes, and another tool is served', async () => {
      const endless = Array.from({ length: 1_000 }, () =>
        sandbox.run(
          call('export default () => { for (;;) {} }', { limits: { ...limits, timeoutMs: 300 } })
        )
      )
      const served = await sandbox.run(
        call('export default () => ({ fine: true })', { tool: 'other' })
      )
      assert.deepEqual(served, { ok: true, text: '{"fine":true}' })
      assert.ok((await sandbox.pids()).length <= 4)
      const ended = (await Promise.all(endless)).map(outcome =>
        outcome.ok ? 'ok' : outcome.kind === 'crashed' ? outcome.message : outcome.kind
      )
      assert.deepEqual([...new Set(ended)].sort(), ['busy', 'timeout'])
    })

    test('a question is answered with data, and its answer is the only way in', async () => {
      const outcome = await sandbox.run(
        call(
          `export default async (input, { datadog }) => {
             const [one, two] = await Promise.all([datadog.get('/a', { q: input.x }), datadog.get('/b')])
             return { one, two, polluted: {}.polluted ?? null }
           }`,
          {
            ask: async (where, params) =>
              `{"where":"${where}","__proto__":{"polluted":1},"n":${params.length}}`
          }
        )
      )
      assert.ok(outcome.ok, JSON.stringify(outcome))
      assert.deepEqual(
        Object.values(JSON.parse(outcome.text) as Record<string, { where?: string } | null>).map(
          each => each?.where ?? null
        ),
        ['/a', '/b', null]
      )
    })

    test('a cancelled call ends its process at once', async () => {
      const caller = new AbortController()
      const running = sandbox.run(
        call('export default () => { for (;;) {} }', {
          limits: { ...limits, timeoutMs: 60_000 },
          signal: caller.signal
        })
      )
      setTimeout(() => caller.abort(), 50)
      const outcome = await running
      assert.equal(outcome.ok ? 'ok' : outcome.kind, 'timeout')
    })
  })
}

test('below its minimum the sandbox runs nothing and says why', async () => {
  const broken = { level: 'namespace' as const, prefix: ['false'] }
  const sandbox = openSandbox({ minimum: 'namespace', ways: [broken] })
  assert.match(
    (await sandbox.standing()).refused ?? '',
    /no sandbox of level 'namespace' .*RAYNE_RCA_SANDBOX/
  )
  await assert.rejects(sandbox.run(call('export default () => 1')), { code: 'sandbox-unavailable' })
  await sandbox.close()
})
