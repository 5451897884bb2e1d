import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { fakeDatadog, json, keys, type Answer } from './loopback.ts'
import { proxyApp } from './proxy-app.ts'

const id = '8a5cbd30-9f75-4ba5-a113-a5d6a1e0d2c4'
const downtime = (attributes: object) => ({
  data: {
    id,
    type: 'downtime',
    attributes: {
      scope: 'env:prod',
      status: 'active',
      message: null,
      monitor_identifier: { monitor_id: 5 },
      schedule: { start: '2026-01-02T03:00:00Z', end: null },
      ...attributes
    }
  }
})
async function appWith(t: TestContext, answer: Answer, env: Record<string, string> = {}) {
  const { url, seen } = await fakeDatadog(t, answer)
  return {
    seen,
    ...(await proxyApp(t, [{ name: 'fake', baseUrl: url, appUrl: url, ...keys }], { env }))
  }
}

test('a downtime is made for a monitor and a scope, with absolute times', async t => {
  const { ask, seen } = await appWith(t, (response, { body }) =>
    json(response, downtime(body.data.attributes))
  )
  const { status, body } = await ask('POST', '/v1/downtimes', {
    scope: 'env:prod,team:web',
    monitor_id: 12,
    to: '2099-01-02T04:00:00Z',
    message: 'deploy'
  })
  assert.deepEqual(
    [status, body.id, body.scope, body.monitor_id, body.to, body.account, body.simulated],
    [201, id, 'env:prod AND team:web', '12', '2099-01-02T04:00:00.000Z', 'fake', true]
  )
  assert.deepEqual(seen[0]?.body.data.attributes, {
    scope: 'env:prod AND team:web',
    monitor_identifier: { monitor_id: 12 },
    message: 'deploy',
    schedule: { end: '2099-01-02T04:00:00Z' }
  })
})

test('a downtime that would mute everything, ends before it begins, or names no monitor is refused', async t => {
  const { ask, seen } = await appWith(t, response => json(response, downtime({ scope: '*' })))
  const good = { scope: 'env:prod', monitor_id: '12', to: 'now+2h' }
  for (const [change, words] of [
    [{ scope: '' }, /mutes everything/],
    [{ scope: '*' }, /mutes everything/],
    [{ scope: 'prod' }, /key:value/],
    [{ to: 'now-1h' }, /\/body\/to/],
    [{ monitor_id: undefined }, /monitor_id/],
    [{ monitor_tags: ['a:b'] }, /not both/]
  ] as const) {
    const { status, body } = await ask('POST', '/v1/downtimes', { ...good, ...change })
    assert.equal(status, 400)
    assert.match(body.error, words)
  }
  assert.equal(seen.length, 0)
  assert.equal(
    (await ask('POST', '/v1/downtimes', { ...good, scope: '*', everything: true })).status,
    201
  )
})

test('a downtime with a key is made once', async t => {
  const made: unknown[] = []
  const { ask } = await appWith(t, (response, { method, body }) => {
    if (method === 'POST') made.push(downtime(body.data.attributes).data)
    json(
      response,
      method === 'POST'
        ? { data: made[0] }
        : { data: made, meta: { page: { total_filtered_count: made.length } } }
    )
  })
  const draft = { scope: 'env:prod', monitor_tags: ['team:web'], to: null, key: 'cycle-7' }
  const answers = [
    await ask('POST', '/v1/downtimes', draft),
    await ask('POST', '/v1/downtimes', draft)
  ]
  assert.deepEqual([answers.map(answer => answer.body.id), made.length], [[id, id], 1])
})

test('downtimes are listed with their ids and scopes, and one that is gone is cancelled all the same', async t => {
  const { ask, get } = await appWith(t, (response, { method }) =>
    method === 'DELETE'
      ? json(response, { errors: ['Downtime not found'] }, 404)
      : json(response, { data: [downtime({}).data], meta: { page: { total_filtered_count: 7 } } })
  )
  const { body } = await get('/v1/downtimes?per_page=1')
  assert.deepEqual(
    [
      body.ids,
      body.scopes,
      body.total_count,
      body.truncated,
      body.downtimes[0].attributes.monitor_identifier
    ],
    [[id], ['env:prod'], 7, true, { monitor_id: 5 }]
  )
  assert.deepEqual((await ask('DELETE', `/v1/downtimes/${id}`)).body, {
    id,
    account: 'fake',
    cancelled: true
  })
  assert.equal((await ask('DELETE', '/v1/downtimes/7')).status, 400)
})

test('service definitions are sent as v2.2, plain fields as tags and a full schema as it is', async t => {
  const { ask, seen } = await appWith(t, (response, { body }) =>
    json(response, { data: [{ type: 'service-definition', attributes: { schema: body } }] })
  )
  const plain = await ask('POST', '/v1/services/definitions', {
    name: 'checkout',
    language: 'go',
    team: 'shop',
    apm: true,
    env: 'prod'
  })
  assert.deepEqual(plain.body.data[0].attributes.schema, {
    'schema-version': 'v2.2',
    'dd-service': 'checkout',
    team: 'shop',
    type: 'web',
    languages: ['go'],
    tags: [
      'language:go',
      'team:shop',
      'apm:true',
      'env:prod',
      'type:web',
      'serverless:false',
      'rum:false',
      'active:false'
    ]
  })
  const full = {
    'dd-service': 'checkout',
    'dd-team': 'x',
    contacts: [{ type: 'email', contact: 'a@b.example' }],
    extensions: { 'my-org': { deep: [1] } }
  }
  await ask('POST', '/v1/services/definitions/advanced', full)
  assert.deepEqual(seen[1]?.body, { ...full, 'schema-version': 'v2.2' })
  assert.match((await ask('POST', '/v1/services/definitions', {})).body.error, /name is required/)
  assert.match(
    (await ask('POST', '/v1/services/definitions/advanced', {})).body.error,
    /dd-service is required/
  )
})

const settings = (folder: string): Record<string, string> => {
  const script = (name: string, text: string): string => {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${text}\n`)
    chmodSync(path.join(folder, name), 0o755)
    return path.join(folder, name)
  }
  return {
    RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_RUNNER: script(
      'podman',
      'echo "$@"; env | cut -d= -f1 | sort | tr "\\n" " " >&2; [ "$1" = image ] && exit 3; exit 0'
    ),
    RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_SERVICE_RUNNER: script('systemctl', 'sleep 30 & sleep 30'),
    RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_TIMEOUT_SECONDS: '1',
    RAYNE_DATADOG_PROXY_PRIVATE_LOCATION_IMAGE: 'registry.example/worker:1'
  }
}

test('private location operations run fixed commands, report exit codes and end in time', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-pl-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const { ask, get } = await appWith(t, response => json(response, {}), settings(folder))
  const pulled = (await ask('POST', '/v1/pl/refresh/pull')).body
  assert.deepEqual(
    [pulled.steps[0].exit_code, pulled.steps[0].stdout],
    [0, 'pull registry.example/worker:1\n']
  )
  assert.doesNotMatch(pulled.steps[0].stderr, /RAYNE|SECRET|KEY/)
  for (const action of ['remove', 'pp']) {
    const { status, body } = await ask('POST', `/v1/pl/refresh/${action}`)
    assert.deepEqual([status, body.steps.length, body.steps[0].exit_code], [502, 1, 3])
    assert.match(body.error, /image rm --force registry.example\/worker:1 ended with exit code 3/)
  }
  const started = Date.now()
  const [slow, busy] = await Promise.all([
    ask('POST', '/v1/pl/refresh/restart'),
    new Promise(resolve => setTimeout(resolve, 200)).then(() => ask('POST', '/v1/pl/refresh/pull'))
  ])
  assert.deepEqual([slow.status, slow.body.steps[0].timed_out, busy.status], [502, true, 409])
  assert.ok(Date.now() - started < 5000)
  assert.equal((await get('/healthz')).status, 200)
})

test('private location operations are off by default, know their actions only, and GET changes nothing', async t => {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-pl-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const none = await appWith(t, response => json(response, {}))
  const refused = await none.ask('POST', '/v1/pl/refresh/restart')
  assert.deepEqual(
    [refused.status, refused.body.type],
    [404, 'urn:rayne:error:private-location-off']
  )
  const { ask, get } = await appWith(t, response => json(response, {}), settings(folder))
  for (const action of [
    'rm',
    'constructor',
    encodeURIComponent(`pull; touch ${folder}/x`),
    encodeURIComponent('pull\n')
  ])
    assert.match(String((await ask('POST', `/v1/pl/refresh/${action}`)).status), /^40[04]$/)
  const got = await get('/v1/pl/refresh/restart')
  assert.deepEqual([got.status, got.headers.get('allow')], [405, 'POST'])
  assert.match(got.body.error, /answers POST, not GET/)
  assert.equal(existsSync(path.join(folder, 'x')), false)
})
