import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'

const client = new URL('../service/client/load-sdk.ts', import.meta.url).href
// In a process of its own: another test of this one may have loaded every model already.
const program = `
  import { createRequire } from 'node:module'
  const { createSdk } = await import(${JSON.stringify(client)})
  let turn = process.threadCpuUsage()
  let longest = 0
  let watching = setImmediate(function watch() {
    const { user, system } = process.threadCpuUsage(turn)
    longest = Math.max(longest, (user + system) / 1000)
    turn = process.threadCpuUsage()
    watching = setImmediate(watch)
  })
  const sdk = createSdk('http://127.0.0.1:9', { apiKey: 'k', appKey: 'p' })
  const [v1, v2] = await Promise.all([sdk.v1(), sdk.v2()])
  const definition = { type: 'markdown', text: 'why' }
  const cells = [{ type: 'notebook_cells', attributes: { definition } }]
  const time = { liveSpan: '1h' }
  const requests = [
    await v1.notebooks.createNotebook({
      data: { type: 'notebooks', attributes: { name: 'n', time, cells } }
    }),
    await v2.logs.listLogs({ filter: { query: 'a' }, sort: '-timestamp', page: { limit: 3 } }),
    await v2.spans.listSpans({ data: { type: 'search_request', attributes: { filter: { query: 'b' } } } })
  ]
  const files = Object.keys(createRequire(import.meta.url).cache)
  await new Promise(resolve => setImmediate(resolve))
  clearImmediate(watching)
  console.log(JSON.stringify({
    longest,
    bodies: requests.map(request => JSON.parse(request.getBody())),
    models: files.filter(file => /api-client-v[12].models/.test(file)).length
  }))`

test('the official client reads the models that a body needs, and no others', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '--eval',
    program
  ])
  const { bodies, models, longest } = JSON.parse(stdout) as {
    bodies: unknown[]
    models: number
    longest: number
  }
  assert.deepEqual(bodies, [
    {
      data: {
        type: 'notebooks',
        attributes: {
          name: 'n',
          time: { live_span: '1h' },
          cells: [
            {
              type: 'notebook_cells',
              attributes: { definition: { type: 'markdown', text: 'why' } }
            }
          ]
        }
      }
    },
    { filter: { query: 'a' }, sort: '-timestamp', page: { limit: 3 } },
    { data: { type: 'search_request', attributes: { filter: { query: 'b' } } } }
  ])
  // Processor time, so that other work on the machine does not count; all of it at once took 2,000 ms.
  assert.ok(longest < 250, `the loop did nothing else for ${longest} ms`)
  assert.ok(models > 5 && models < 100, `${models} of some 7,000 models`)
})
