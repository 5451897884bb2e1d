import assert from 'node:assert/strict'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { testData } from '../../core/test/test-data.ts'
import { createRouter } from '../routes/route.ts'
import { routes } from '../routes/all-routes.ts'
import type { JournalEntry } from '../simulator.ts'
import { accountOf, startSimulator } from './client.ts'
import { readApiDescription } from './api-description.ts'
import { tour, type Step } from './tour.ts'

/** The description of the real API, beside the repository, and a small one that is always there. */
const descriptions = testData('datadog-openapi')
const small = path.join(import.meta.dirname, 'descriptions')

/** Where reality, as recorded, is not what the description says (datadog-api.md 3); the simulator is like reality. */
const exceptions: readonly (readonly [string, RegExp, string])[] = [
  ['v1.EventsApi.createEvent', /\/event\/tags/, 'recorded: tags is null when none were sent'],
  ['v1.EventsApi.', /\/device_name/, 'recorded: device_name is null'],
  ['v1.SyntheticsApi.', /metadata/, 'recorded: metadata of a private location is null'],
  ['v1.HostsApi.', /installer_version/, 'recorded: installer_version is null'],
  [
    'v2.IncidentsApi.searchIncidents',
    /\/included|\/facets|field_analytics|customer_impact/,
    'recorded: more than users is included, and facets count in several types'
  ]
]

const find = createRouter(routes)
const opOf = (step: Step): string =>
  find(step.method, step.path.split('?')[0] ?? '')?.route.op ?? ''

/** Which exception of the list covers a refused answer; -1 when none does. */
const exceptionFor = (op: string, { errors }: ValidateFunction): number =>
  exceptions.findIndex(
    ([prefix, where]) =>
      op.startsWith(prefix) && errors?.some(error => where.test(error.instancePath))
  )

/** Checks every answer that a description knows; what is wrong as sentences. */
function validate(steps: readonly Step[], folder: string) {
  const describes = readApiDescription(folder)
  const used = new Set<number>()
  const problems: string[] = []
  let compared = 0
  for (const step of steps) {
    const isValid = step.body === undefined ? undefined : describes(step)
    if (!isValid) continue
    compared++
    if (isValid(step.body)) continue
    const index = exceptionFor(opOf(step), isValid)
    const error = isValid.errors?.[0]
    if (index < 0)
      problems.push(
        `${opOf(step)} ${step.status} ${error?.instancePath}: ${error?.message} ${JSON.stringify(error?.params)}`
      )
    else used.add(index)
  }
  return { problems, compared, unused: exceptions.filter((_, i) => !used.has(i)) }
}

describe('the answers of the simulator', () => {
  let steps: readonly Step[] = []
  let journal: readonly JournalEntry[] = []
  before(async () => {
    const simulator = await startSimulator({ after })
    steps = await tour(accountOf(simulator))
    journal = simulator.journal()
  })

  test('visit every operation, and none is unknown or breaks', () => {
    const seen = new Set(steps.map(opOf))
    assert.deepEqual(
      routes.filter(route => !route.page && !seen.has(route.op)).map(route => route.op),
      []
    )
    assert.ok(journal.every(entry => entry.unknown_route === undefined && entry.status < 500))
  })

  test('validate against a small description, which refuses what is wrong', () => {
    const { problems, compared } = validate(steps, small)
    assert.deepEqual(problems, [])
    assert.ok(compared >= 15, `only ${compared} answers were compared`)
    const bent = (body: unknown): Step => ({
      method: 'GET',
      path: '/api/v1/monitor/7',
      status: 200,
      body,
      text: '',
      note: ''
    })
    const monitor = { id: 7, type: 'query alert', query: 'x', priority: null }
    assert.deepEqual(validate([bent(monitor)], small).problems, [])
    assert.deepEqual(
      [{ id: 0 }, { priority: 6 }, { priority: 'high' }, { type: 'tea' }, { query: null }].map(
        wrong =>
          /monitor 200 (\S*):/i.exec(
            validate([bent({ ...monitor, ...wrong })], small).problems[0] ?? ''
          )?.[1]
      ),
      ['/id', '/priority', '/priority', '/type', '/query']
    )
  })

  test(
    'validate against the API description, but for the documented exceptions',
    { skip: descriptions.skip },
    () => {
      const { problems, compared, unused } = validate(steps, descriptions.folder())
      assert.deepEqual(problems, [])
      assert.deepEqual(
        unused.map(([op, , why]) => `${op} ${why}`),
        [],
        'exceptions that nothing needs'
      )
      assert.ok(compared >= 90, `only ${compared} answers were compared`)
    }
  )

  test('what is created can be read, listed, changed and deleted, and is gone then, with the recorded statuses', () => {
    const statuses = (op: string): number[] =>
      steps.filter(step => step.note === op).map(step => step.status)
    const laws: Readonly<Record<string, readonly number[]>> = {
      'monitor life': [200, 200, 200, 200, 404, 404],
      'downtime life': [200, 200, 200, 204, 204, 200],
      'old downtime life': [200, 200, 200, 204],
      'notebook life': [200, 200, 200, 204, 404, 404],
      'webhook life': [201, 200, 200, 200, 404, 404],
      'slo life': [200, 200, 200, 200, 404, 404],
      'incident life': [201, 200, 200, 204, 404, 404],
      'rum life': [200, 200, 200, 204, 404, 204],
      'definition life': [200, 200, 204, 404, 404],
      'location life': [200, 200, 200, 204, 404, 404],
      'tag life': [201, 200, 201, 204],
      'mute life': [200, 400, 200, 400]
    }
    for (const [name, wanted] of Object.entries(laws))
      assert.deepEqual(statuses(name), wanted, name)
  })
})
