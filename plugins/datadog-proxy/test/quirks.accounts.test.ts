import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { apiUrlOf, appUrlOf, resolveSite } from '../service/client/resolve-site.ts'
import type { DatadogError } from '../contract.ts'
import { createDatadogService } from '../service/datadog.ts'
import { fakeDatadog, json, keys, quiet, window } from './loopback.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const run = promisify(execFile)
/** What a script prints in a process of its own, which the others here do not wait for. */
const printedBy = async (script: string, env = process.env): Promise<string> => {
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  return (await run(process.execPath, args, { cwd: root, env, timeout: 100_000 })).stdout
}
const sends = (answer: (url: string) => Response) => {
  const urls: string[] = []
  return {
    urls,
    fetch: (async (url: unknown) => {
      urls.push(String(url))
      return answer(String(url))
    }) as typeof fetch
  }
}

test(
  'quirk 11: whatever was pasted, requests go to the API host without a double slash ' +
    'and links to the app host of the site',
  async () => {
    for (const [pasted, api, app] of [
      ['https://app.datadoghq.com/', 'https://api.datadoghq.com', 'https://app.datadoghq.com'],
      [
        'https://us5.datadoghq.com/api/v1/',
        'https://api.us5.datadoghq.com',
        'https://us5.datadoghq.com'
      ],
      ['api.ddog-gov.com', 'https://api.ddog-gov.com', 'https://app.ddog-gov.com']
    ] as const) {
      const { urls, fetch } = sends(() => Response.json({ status: 'ok', event: { id_str: '1' } }))
      const account = await createDatadogService({
        log: quiet,
        fetch,
        accounts: [{ name: 'a', site: pasted, ...keys }]
      }).account('a')
      const event = await account.createEvent({ title: 't', text: 'x', tags: [] })
      assert.deepEqual(
        [urls, account.appUrl, event.url],
        [[`${api}/api/v1/events`], app, `${app}/event/event?id=1`]
      )
      assert.deepEqual([apiUrlOf(resolveSite(pasted)), appUrlOf(resolveSite(pasted))], [api, app])
    }
  }
)

test('quirk 12: a refusal says which of the two keys was asked about, and the site they must belong to', async t => {
  const { account } = await fakeDatadog(t, (response, { url }) =>
    url.includes('/validate')
      ? json(response, { valid: true })
      : json(response, { errors: ['Forbidden'] }, 403)
  )
  await assert.rejects(account.validate(), /The API key is valid, so it is the application key/)
  await assert.rejects(
    account.logs({ query: '', window, limit: 1 }),
    /needs the permission logs_read_data, and the keys must belong to an organisation on simulated/
  )
})

test('quirk 13: DD_SITE and keys of the environment never reach an account', async t => {
  for (const name of ['DD_SITE', 'DD_API_KEY', 'DD_APP_KEY']) {
    const before = process.env[name]
    process.env[name] = 'evil.example'
    t.after(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, { total_up: 1, total_active: 1 })
  )
  await account.hostTotals()
  assert.deepEqual(
    [seen[0]?.headers['dd-api-key'], seen[0]?.headers['dd-application-key']],
    [keys.apiKey, keys.appKey]
  )
})

test('quirk 14: neither a site nor a name in a path can lead a key elsewhere', async t => {
  assert.throws(() => resolveSite('evil.example'), /no key is sent there/)
  const { account, seen } = await fakeDatadog(t, response => json(response, { tags: [] }))
  for (const host of ['..', '.', '', ' ', 'a\nb'])
    await assert.rejects(
      account.hostTags(host),
      (error: DatadogError) => error.failure === 'invalid'
    )
  for (const name of ['..', '.'])
    await assert.rejects(
      account.webhook(name),
      (error: DatadogError) => error.failure === 'invalid'
    )
  await account.hostTags('../../validate?x=1#y')
  assert.deepEqual(
    seen.map(one => one.url),
    [`/api/v1/tags/hosts/${encodeURIComponent('../../validate?x=1#y')}`]
  )
})

test('quirk 15: undocumented statuses, text/plain JSON and errors encoded twice are all read', async t => {
  let answer: [number, string, string] = [0, '', '']
  const { account } = await fakeDatadog(t, response =>
    response.writeHead(answer[0], { 'content-type': answer[1] }).end(answer[2])
  )
  for (const [status, type, body, words] of [
    [401, 'application/json', '{"errors":["Unauthorized"]}', /401: Unauthorized/],
    [
      409,
      'application/json',
      '{"errors":{"7":["referenced in slos"]},"data":{"ok":[]}}',
      /7: referenced in slos/
    ],
    [
      400,
      'text/plain; charset=utf-8',
      '{"errors":["Event too far in the past"]}',
      /Event too far in the past/
    ],
    [402, 'application/json', '{"error":{"code":"x","message":"pay"}}', /402: pay/],
    [599, 'text/html', '<title>Gone\nwrong</title>', /HTML page titled "Gone wrong"/]
  ] as const) {
    answer = [status, type, body]
    await assert.rejects(
      account.createEvent({ title: 't', text: 'x', tags: [] }),
      (error: DatadogError) => words.test(error.message) && error.datadogStatus === status
    )
  }
})

test('quirk 16: no call takes garbage with status 200 for an answer', async t => {
  let body = ''
  const { account } = await fakeDatadog(t, response =>
    response
      .writeHead(200, { 'content-type': body.startsWith('<') ? 'text/html' : 'application/json' })
      .end(body)
  )
  const id = '00000000-0000-4000-8000-000000000000'
  const calls = [
    () => account.hostTotals(),
    () => account.hostTags('a'),
    () => account.allHostTags(),
    () => account.monitors({ limit: 1 }),
    () => account.searchMonitors({ query: '', limit: 1 }),
    () => account.triggeredMonitors({ limit: 1 }),
    () => account.downtimes({ limit: 1 }),
    () => account.createDowntime({ scope: 'a:b', monitor: { id: '1' }, to: null }),
    () => account.cancelDowntime(id),
    () => account.createEvent({ title: 't', text: 'x', tags: [] }),
    () => account.aggregateLogs({ query: '', window, limit: 1 }),
    () => account.spans({ query: '', window, limit: 1 }),
    () => account.services({ limit: 1 }),
    () => account.saveService({ 'dd-service': 'a' }),
    () => account.webhook('a'),
    () => account.notebook('1'),
    () => account.updateNotebook('1', { name: 'n', cells: [], window }),
    () => account.page({ of: 'hosts', offset: 0, limit: 1 }),
    () => account.page({ of: 'monitor', id: '1' })
  ]
  for (body of ['<html><title>Log in</title></html>', '', 'null', '{"data":[{"id"', '"text"']) {
    for (const [n, call] of calls.entries()) {
      // A deletion has nothing to say, so any JSON will do.
      if (n === 8 && ['null', '"text"'].includes(body)) continue
      await assert.rejects(
        call(),
        (error: DatadogError) => error.failure === 'garbage',
        `call ${n} took ${body}`
      )
    }
  }
})

test('quirk 27: DEBUG makes nothing write to stdout, which an MCP client reads', async t => {
  const script = `import { createDatadogService } from './plugins/datadog-proxy/service/datadog.ts'
    const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
    const baseUrl = 'http://127.0.0.1:9'
    const one = { name: 'a', simulated: true, baseUrl, appUrl: 'x', apiKey: 'k', appKey: 'p' }
    const options = { log: quiet, retry: { attempts: 1 }, accounts: [one] }
    const account = await createDatadogService(options).account()
    await account.logs({ query: '', window: { from: 1, to: 2 }, limit: 1 }).catch(() => {})`
  assert.equal(await printedBy(script, { ...process.env, DEBUG: '*' }), '')
  t.diagnostic('a real process was asked')
})

test('quirk 29: opening accounts loads nothing of the SDK, and only this plugin names it', async () => {
  const script = `import { createDatadogService } from './plugins/datadog-proxy/service/datadog.ts'
    import plugin from './plugins/datadog-proxy/plugin.ts'
    import { createRequire } from 'node:module'
    const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet }
    createDatadogService({ log: quiet, accounts: [{ name: 'a', site: 'datadoghq.com', apiKey: 'k', appKey: 'p' }] })
    const loaded = Object.keys(createRequire(import.meta.url).cache ?? {}).filter(file => file.includes('@datadog'))
    process.stdout.write(String(loaded.length) + plugin.id)`
  assert.equal(await printedBy(script), '0datadog-proxy')
  const folder = path.join(root, 'plugins/datadog-proxy')
  const product = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    file => file.endsWith('.ts') && !file.startsWith('test')
  )
  const importing = (what: RegExp): string[] =>
    product.filter(file => what.test(readFileSync(path.join(folder, file), 'utf8')))
  // These two are loaded at the first call of their version, and nothing else loads the client or them.
  const loaded = ['service/client/sdk-v1.ts', 'service/client/sdk-v2.ts']
  assert.deepEqual(importing(/^import (?!type)[^\n]*@datadog/m).toSorted(), loaded)
  assert.deepEqual(importing(/^import (?!type)[^\n]*\/sdk-v[12]\.ts'/m), [])
})
