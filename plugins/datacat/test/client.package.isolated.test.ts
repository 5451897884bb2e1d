import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import { temporary } from './faulty-server.ts'

const shared = suiteApp({ plugins: [datacat] })
const run = promisify(execFile)
const source = fileURLToPath(new URL('../clients/typescript', import.meta.url))
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

const program = (url: string): string => `
import { createDatacatClient, DatacatError, type Session } from 'rayne-datacat'
const client = createDatacatClient({ url: ${JSON.stringify(url)}, product: 'shop' })
const session: Session = await client.createSession()
await session.logEvent('from the package', { a: 1 })
await client.close()
const failed: unknown = await client.getSession('nope').catch((error: unknown) => error)
if (!(failed instanceof DatacatError) || failed.status !== 404) throw failed
console.log(session.id)
`

test('the client is a package of its own: packed, installed in an empty folder, typed and run there', async t => {
  const folder = temporary(t)
  const [own, user] = [path.join(folder, 'own'), path.join(folder, 'user')]
  cpSync(source, own, { recursive: true })
  symlinkSync(modules, path.join(own, 'node_modules'))
  const env = { ...process.env, PATH: `${path.join(modules, '.bin')}:${process.env['PATH']}` }
  const options = { env, timeout: 100_000 }
  await run('npm', ['pack', '--ignore-scripts=false', '--pack-destination', folder], {
    ...options,
    cwd: own
  })
  const [packed = ''] = globSync('*.tgz', { cwd: folder })
  mkdirSync(user)
  writeFileSync(path.join(user, 'package.json'), '{"type":"module","private":true}')
  const install = ['install', path.join(folder, packed), '--offline', '--no-audit', '--no-fund']
  await run('npm', install, { ...options, cwd: user })
  const installed = path.join(user, 'node_modules')
  assert.deepEqual(
    readdirSync(installed).filter(name => !name.startsWith('.')),
    ['rayne-datacat']
  )
  const files = readdirSync(path.join(installed, 'rayne-datacat'), { recursive: true }).map(String)
  assert.ok(files.includes('dist/datacat.d.ts') && files.includes('dist/datacat.js'), files.join())
  assert.deepEqual(
    files.filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts')),
    []
  )
  writeFileSync(path.join(user, 'app.ts'), program(shared.url))
  const strict = ['--strict', '--module', 'nodenext', '--target', 'es2022', '--lib', 'es2023,dom']
  await run('tsc', [...strict, 'app.ts'], { ...options, cwd: user })
  assert.ok(existsSync(path.join(user, 'app.js')))
  const { stdout } = await run(process.execPath, ['app.js'], { ...options, cwd: user })
  const { body } = await shared.call('GET', `/v1/datacat/sessions/${stdout.trim()}/events`)
  const events = body['events'] as readonly { name: string }[]
  assert.deepEqual(
    events.map(event => event.name),
    ['from the package']
  )
})
