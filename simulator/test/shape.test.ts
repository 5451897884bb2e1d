import assert from 'node:assert/strict'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { testData } from '../../core/test/test-data.ts'
import { routes } from '../routes/all-routes.ts'
import { accountOf, call, startSimulator, type Answer } from './client.ts'
import { furnish } from './furnish.ts'
import { adapted, learn, recordingsIn, type Ids, type Recorded } from './recorded.ts'
import { missingShapes } from './shape.ts'

/** Recordings of the real Datadog, beside the repository, and a few that were made up and are always there. */
const cassettes = testData('datadog-cassettes')
const madeUp = path.join(import.meta.dirname, 'recordings')

/** Recordings that cannot be compared, and why. */
const skipped: readonly (readonly [(one: Recorded) => boolean, string])[] = [
  [
    one =>
      one.op.startsWith('v2.MetricsApi.query') &&
      !/"data_source":"(metrics|logs|events|spans|rum)"/.test(JSON.stringify(one.request.body)),
    'queries of sources that have no data here are answered empty'
  ],
  [
    one =>
      one.request.method === 'DELETE' &&
      one.response.status === 404 &&
      one.file.includes('using-schema-v2-2'),
    'a definition that was not found right after it was written: the catalogue was behind'
  ]
]

const isSkipped = (one: Recorded): boolean => skipped.some(([matches]) => matches(one))

/** Some JSON of 2020 says its charset; a body that is not there needs no type. */
const mediaOf = (type: string | null | undefined): string | null =>
  type?.replace(/^application\/json;.*/, 'application/json') ?? null

/** What a recorded answer has and the simulator's has not. */
function difference(one: Recorded, answer: Answer): string[] {
  const { status, headers, body } = one.response
  if (answer.status !== status)
    return [`status ${answer.status}, recorded ${status} ${answer.text.slice(0, 200)}`]
  if (status === 204) return []
  const [own, type] = [
    mediaOf(answer.headers.get('content-type')),
    mediaOf(headers['content-type'])
  ]
  if (type !== null && own !== type) return [`content type ${own}, recorded ${type}`]
  return missingShapes(body, answer.body)
}

/** Asks the simulator what was recorded, one file after the other, and tells where its answers fall short. */
async function compare(context: TestContext, all: readonly Recorded[]): Promise<string[]> {
  const simulator = await startSimulator(context)
  const account = accountOf(simulator)
  const existing = await furnish(account)
  const problems: string[] = []
  let ids: Ids = new Map()
  for (const [index, one] of all.entries()) {
    if (one.file !== all[index - 1]?.file) ids = new Map()
    if (isSkipped(one)) continue
    const { path: asked, body } = adapted(one, ids, existing)
    const answer = await call(account, one.request.method, asked, body)
    if (one.response.status < 300) learn(one.response.body, answer.body, ids)
    problems.push(
      ...difference(one, answer).map(
        problem => `${one.file}: ${one.request.method} ${asked}: ${problem}`
      )
    )
  }
  assert.ok(simulator.journal().every(entry => entry.unknown_route === undefined))
  return problems
}

test('answers have at least the shape of a few recordings that were made up', async context => {
  const all = recordingsIn(madeUp)
  assert.ok(all.length >= 20, `only ${all.length} interactions were found in ${madeUp}`)
  assert.deepEqual(await compare(context, all), [])
})

test('what a recording shows and the simulator does not is reported by its path', async context => {
  const [monitor, hosts] = ['v1.MonitorsApi.getMonitor', 'v1.HostsApi.listHosts'].map(op =>
    recordingsIn(madeUp).find(one => one.op === op && one.response.status === 200)
  )
  assert.ok(monitor && hosts)
  const bent = (one: Recorded, response: Partial<Recorded['response']>): Recorded => ({
    ...one,
    response: { ...one.response, ...response }
  })
  assert.deepEqual(
    (
      await compare(context, [
        bent(monitor, { body: { ...(monitor.response.body as object), moon: { phase: 1 } } }),
        bent(monitor, { body: { name: 7 } }),
        bent(hosts, { status: 418 }),
        bent(hosts, { headers: { 'content-type': 'text/xml' } })
      ])
    ).map(problem => problem.replace(/^.*?: GET \S+: /, '').replace(/(418).*/, '$1')),
    [
      '$.moon (object) is missing',
      '$.moon.phase (number) is missing',
      '$.name is string, recorded number',
      'status 200, recorded 418',
      'content type application/json, recorded text/xml'
    ]
  )
})

test(
  'answers have at least the shape of every recording the simulator serves',
  { skip: cassettes.skip },
  async context => {
    const all = recordingsIn(cassettes.folder())
    assert.ok(all.length >= 180, `only ${all.length} recorded interactions were found`)
    assert.deepEqual(await compare(context, all), [])
    for (const [matches, why] of skipped)
      assert.ok(
        all.some(one => matches(one)),
        `nothing is skipped because ${why}`
      )
  }
)

/** Operations that are served although nobody recorded them, and what they are built from. */
const unrecorded: Readonly<Record<string, string>> = {
  'v1.MetricsApi.listActiveMetrics': 'API description',
  'v2.APMApi.getServiceList': 'API description',
  'v2.KeyManagementApi.validateAPIKey': 'API description',
  'v2.KeyManagementApi.validateKeys': 'API description',
  'v1.SyntheticsApi.createPrivateLocation': 'datadog-api.md 2.1',
  'v1.SyntheticsApi.getPrivateLocation': 'datadog-api.md 2.1',
  'v1.SyntheticsApi.updatePrivateLocation': 'datadog-api.md 2.1'
}

test(
  'every operation the simulator serves has a recording, or a reason',
  { skip: cassettes.skip },
  () => {
    const recorded = new Set(recordingsIn(cassettes.folder()).map(one => one.op))
    assert.deepEqual(
      routes
        .filter(route => !route.page)
        .map(route => route.op)
        .filter(op => !recorded.has(op) && !Object.hasOwn(unrecorded, op)),
      []
    )
    assert.deepEqual(
      Object.keys(unrecorded).filter(op => recorded.has(op)),
      []
    )
  }
)
