import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'
import { createSdk } from '../service/client/load-sdk.ts'
import type { LiveSpan } from '../service/client/account.ts'
import { fakeDatadog, json, window } from './loopback.ts'

const notebook = { data: { id: 7, type: 'notebooks', attributes: { name: 'n', cells: [] } } }

test('quirk 24: the headers of a webhook travel as one JSON text and the payload as it was given', async t => {
  let stored: Record<string, unknown> = {}
  const { account, seen } = await fakeDatadog(t, (response, { method, body }) => {
    if (method === 'GET' && !stored['name'])
      return json(response, { errors: ['Webhook does not exist'] }, 404)
    if (method !== 'GET') stored = { name: 'rayne', encode_as: 'json', ...stored, ...body }
    json(response, stored, method === 'POST' ? 201 : 200)
  })
  const customHeaders = { 'X-Rayne-Token': 'a "quoted" token' }
  const made = await account.createWebhook({
    name: 'rayne',
    url: 'https://rayne.example/',
    customHeaders,
    payload: '{"id": "$ID"}'
  })
  assert.deepEqual(
    [seen[1]?.body.custom_headers, seen[1]?.body.payload, made.customHeaders],
    [JSON.stringify(customHeaders), '{"id": "$ID"}', customHeaders]
  )
  assert.equal(
    (await account.updateWebhook({ name: 'rayne', url: 'https://other.example/' })).payload,
    '{"id": "$ID"}'
  )
  assert.deepEqual(seen[2]?.body, { url: 'https://other.example/' })
})

test('quirk 24: a name that is taken meanwhile is not an error when it says the same', async t => {
  let gets = 0
  const { account } = await fakeDatadog(t, (response, { method }) => {
    if (method === 'POST') json(response, { errors: ['Webhook already exists'] }, 400)
    else if (++gets === 1) json(response, { errors: ['Webhook does not exist'] }, 404)
    else
      json(response, {
        name: 'rayne',
        url: 'https://rayne.example/',
        custom_headers: null,
        payload: '{}'
      })
  })
  assert.equal(
    (await account.createWebhook({ name: 'rayne', url: 'https://rayne.example/' })).payload,
    '{}'
  )
})

test('quirk 25: changing a notebook sends all cells, in the words Datadog knows', async t => {
  const { account, seen } = await fakeDatadog(t, response => json(response, notebook))
  await account.updateNotebook('7', {
    name: 'n',
    window: { live: '4h' },
    cells: [
      { type: 'markdown', text: '# a' },
      { type: 'timeseries', title: 't', query: 'avg:m{*}' }
    ]
  })
  const { attributes } = seen[0]!.body.data
  assert.deepEqual(
    [seen[0]?.method, seen[0]?.url, attributes.time, attributes.cells.length],
    ['PUT', '/api/v1/notebooks/7', { live_span: '4h' }, 2]
  )
  assert.deepEqual(attributes.cells[1].attributes.definition, {
    type: 'timeseries',
    title: 't',
    show_legend: true,
    requests: [{ q: 'avg:m{*}', display_type: 'line' }]
  })
})

test('quirk 25: a live span that Datadog does not know is refused before anything is sent', async t => {
  const { account, seen } = await fakeDatadog(t, response => json(response, notebook))
  // @ts-expect-error 2h is no live span
  const wrong: LiveSpan = '2h'
  await assert.rejects(
    account.createNotebook({ name: 'n', cells: [], window: { live: wrong } }),
    /could not be built/
  )
  assert.equal(seen.length, 0)
})

test('quirk 25: cells of widgets we do not know are read as they are', async t => {
  const cells = [
    { id: 'a', attributes: { definition: { type: 'sunburst', requests: [{ deep: true }] } } }
  ]
  const { account } = await fakeDatadog(t, response =>
    json(response, {
      data: { id: 7, attributes: { name: 'n', cells, modified: '2026-01-02T03:00:00Z' } }
    })
  )
  assert.deepEqual((await account.notebook('7')).cells, [
    { id: 'a', type: 'sunburst', definition: { type: 'sunburst', requests: [{ deep: true }] } }
  ])
})

test('quirk 25: kebab-case keys of a service definition reach Datadog', async t => {
  const { account, seen } = await fakeDatadog(t, (response, { body }) =>
    json(response, { data: [{ attributes: { schema: body } }] })
  )
  const schema = {
    'schema-version': 'v2.2',
    'dd-service': 'checkout',
    extensions: { 'my-org': 1 },
    'ci-pipeline-fingerprints': ['x']
  }
  assert.deepEqual((await account.saveService(schema)).schema, schema)
  assert.deepEqual(seen[0]?.body, schema)
})

/** Every operation of the official client that our product code names. */
function usedOperations(): string[] {
  const folder = new URL('../service/client/', import.meta.url)
  const used = readdirSync(folder).flatMap(file =>
    [
      ...readFileSync(new URL(file, folder), 'utf8').matchAll(
        /\bsdk\.v([12])\(\)\s*\)\.(\w+)\.(\w+)\(/g
      )
    ].map(([, version, api, operation]) => `v${version}.${api}.${operation}`)
  )
  return [...new Set(used)].toSorted()
}

test('quirk 28: no operation is used that answers secrets', () => {
  assert.ok(usedOperations().length >= 26)
  assert.deepEqual(
    usedOperations().filter(name =>
      /synthetics|privateLocation|keyManagement|apiKey|applicationKey|rum\./i.test(name)
    ),
    []
  )
})

test('quirk 30: only these operations can reach the wire, and none of them is invented', async () => {
  assert.deepEqual(usedOperations(), [
    'v1.authentication.validate',
    'v1.events.createEvent',
    'v1.hosts.getHostTotals',
    'v1.hosts.listHosts',
    'v1.hosts.muteHost',
    'v1.metrics.queryMetrics',
    'v1.monitors.getMonitor',
    'v1.monitors.listMonitors',
    'v1.monitors.searchMonitors',
    'v1.notebooks.createNotebook',
    'v1.notebooks.getNotebook',
    'v1.notebooks.listNotebooks',
    'v1.notebooks.updateNotebook',
    'v1.tags.getHostTags',
    'v1.tags.listHostTags',
    'v1.webhooks.createWebhooksIntegration',
    'v1.webhooks.getWebhooksIntegration',
    'v1.webhooks.updateWebhooksIntegration',
    'v2.downtimes.cancelDowntime',
    'v2.downtimes.createDowntime',
    'v2.downtimes.listDowntimes',
    'v2.events.searchEvents',
    'v2.logs.aggregateLogs',
    'v2.logs.listLogs',
    'v2.services.createOrUpdateServiceDefinitions',
    'v2.services.listServiceDefinitions',
    'v2.spans.listSpans'
  ])
  const sdk = createSdk('http://127.0.0.1:9', { apiKey: 'k', appKey: 'p' })
  const apis = { v1: await sdk.v1(), v2: await sdk.v2() } as unknown as Record<
    string,
    Record<string, Record<string, unknown>>
  >
  for (const name of usedOperations()) {
    const [version = '', api = '', operation = ''] = name.split('.')
    assert.equal(typeof apis[version]?.[api]?.[operation], 'function', name)
  }
})

test('quirk 10: a write is sent once, whatever Datadog answers', async t => {
  const writes = [
    (account: Awaited<ReturnType<typeof fakeDatadog>>['account']) =>
      account.createEvent({ title: 't', text: 'x', tags: [] }),
    (account: Awaited<ReturnType<typeof fakeDatadog>>['account']) =>
      account.createDowntime({ scope: 'a:b', monitor: { tags: ['x:y'] }, to: null }),
    (account: Awaited<ReturnType<typeof fakeDatadog>>['account']) =>
      account.updateNotebook('7', { name: 'n', cells: [], window }),
    (account: Awaited<ReturnType<typeof fakeDatadog>>['account']) =>
      account.saveService({ 'dd-service': 'a' })
  ]
  for (const write of writes) {
    for (const status of [429, 500, 503]) {
      const { account, seen } = await fakeDatadog(t, response =>
        json(response, { errors: ['no'] }, status)
      )
      await assert.rejects(write(account), /no/)
      assert.equal(seen.length, 1)
    }
  }
})
