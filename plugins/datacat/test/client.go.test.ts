import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import path from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { createProxy } from '../../../examples/datacat-clients/faults/proxy.ts'
import datacat from '../plugin.ts'

const shared = suiteApp({ plugins: [datacat] })
const run = promisify(execFile)
const folder = fileURLToPath(new URL('go', import.meta.url))
const titles = {
  lost: 'a plain write whose answer was lost behind a gateway is stored once',
  moved: 'a redirected write stays a write',
  foreign: "an answer that is not datacat's, and an expired token, let go of nothing",
  large: 'a body over the limit is refused before it is queued, a nil state is none',
  exceptions: 'an exception is cut by bytes, cleaned, and named after what it wraps',
  beats: 'a beat followed by Stop tells of the recovery, also when the context has ended'
} as const
const isMissing = spawnSync('go', ['version']).status !== 0

describe('a program in Go', { skip: isMissing && 'there is no go' }, () => {
  const binary = path.join(mkdtempSync(path.join(tmpdir(), 'datacat-go-')), 'cases')
  before(async () => {
    const env = { ...process.env, GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' }
    await run('go', ['build', '-o', binary, '.'], { cwd: folder, env, timeout: 110_000 })
  })
  for (const [name, title] of Object.entries(titles))
    test(title, async t => {
      const proxy = await createProxy(shared.url)
      t.after(() => proxy.close())
      const { stdout } = await run(binary, [name], {
        timeout: 60_000,
        env: {
          ...process.env,
          DATACAT_URL: shared.url,
          DATACAT_GATEWAY: proxy.through('stored, 504', 1).url,
          DATACAT_CLOSED: proxy.through('stored, connection closed', 1).url,
          DATACAT_MOVED: proxy.through('301 to the server', Infinity).url,
          DATACAT_HEALTH: proxy.through("200, another's health", Infinity).url,
          DATACAT_EXPIRED: proxy.through('401', Infinity).url,
          DATACAT_INGRESS: proxy.through('404 of a proxy', Infinity).url
        }
      })
      assert.match(stdout, /done\n$/)
    })
})
