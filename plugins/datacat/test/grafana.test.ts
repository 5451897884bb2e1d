import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, test } from 'node:test'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { suiteApp } from '../../../core/test/suite-app.ts'
import { testData } from '../../../core/test/test-data.ts'
import datacat from '../plugin.ts'
import type { ProblemAnswer } from './answers.ts'
import { answerChecks, readDescription } from './grafana-answers.ts'
import type { Dashboard, Series, Table, VariableValue } from './grafana-shapes.ts'

/** The description of the data source, beside the repository; its answers are checked without it too. */
const description = testData('grafana-json')
const dashboardFile = new URL('../../../assets/grafana-datacat-dashboard.json', import.meta.url)
const shared = suiteApp({ plugins: [datacat] })
const hourMs = 3_600_000
const noon = Date.UTC(2026, 0, 31, 12)
const range = {
  from: new Date(noon - hourMs).toISOString(),
  to: new Date(noon + 2 * hourMs).toISOString(),
  raw: { from: 'now-3h', to: 'now' }
}

function checkAnswer(
  check: ValidateFunction | undefined,
  { label, answer }: { readonly label: string; readonly answer: unknown }
): void {
  assert.ok(
    check?.(answer),
    `${label}: ${JSON.stringify(check?.errors?.slice(0, 3))} in ${JSON.stringify(answer).slice(0, 400)}`
  )
}
const queryOf = (asked: string | { readonly query: string }): string =>
  typeof asked === 'string' ? asked : asked.query

describe('the contract of the Grafana data source', () => {
  const answers: { readonly path: string; readonly label: string; readonly answer: unknown }[] = []
  const ids: string[] = []

  /** Asks as the data source does; the answer must be 200 and what the description says. */
  async function ask<T>(path: string, body: object, label = path): Promise<T> {
    const { status, body: answer, headers } = await shared.call('POST', `/api/grafana${path}`, body)
    assert.equal(status, 200, `${label}: ${JSON.stringify(answer)}`)
    assert.equal(headers.get('content-type'), 'application/json')
    checkAnswer(answerChecks.get(path), { label, answer })
    answers.push({ path, label, answer })
    const answered: unknown = answer
    return answered as T
  }
  const query = <T = Series[]>(targets: object[], more: object = {}): Promise<T> =>
    ask<T>(
      '/query',
      {
        panelId: 1,
        range,
        rangeRaw: range.raw,
        interval: '30s',
        intervalMs: 30_000,
        maxDataPoints: 50,
        scopedVars: { __interval: { text: '1s', value: '1s' } },
        targets,
        filters: [],
        ...more
      },
      `/query ${JSON.stringify(targets)}`
    )
  const one = async (payload: object | string, more: object = {}): Promise<number[]> =>
    (await query([{ target: 'cpu.load', refId: 'A', payload }], more))[0]?.datapoints.map(
      ([value]) => value
    ) ?? []

  before(async () => {
    for (const [product, version, tool, shift] of [
      ['editor', '1', 'space probe', 0],
      ['editor', '2', 'hammer', 1],
      ['viewer', '2', 'hammer', 2]
    ] as const) {
      const { body } = await shared.call('POST', '/v1/datacat/sessions', {
        product,
        version,
        machine_id: `m${shift}`,
        hostname: 'host',
        started_at: noon + shift,
        state: { application: { mode: product }, window_state: { open: ['main', tool] } }
      })
      ids.push(String(body['session_id']))
      const metrics = Array.from({ length: 200 }, (_, n) => ({
        name: 'cpu.load',
        value: shift * 1_000 + n,
        unit: '%',
        timestamp: noon + n * 10_000 + shift
      }))
      assert.equal(
        (
          await shared.call('POST', `/v1/datacat/sessions/${ids.at(-1)}/batch`, {
            metrics: [
              ...metrics,
              { name: 'memory_usage', value: 10 * (shift + 1), timestamp: noon }
            ]
          })
        ).status,
        200
      )
    }
    await shared.call('POST', `/v1/datacat/sessions/${ids[2]}/end`)
  })

  test('answers the test of the connection, with the slash and without', async () => {
    for (const path of ['/api/grafana', '/api/grafana/']) {
      assert.equal((await shared.call('GET', path)).status, 200)
    }
  })

  test('lists metrics with the fields of a query, and the options of each field', async () => {
    const metrics = await ask<
      {
        value: string
        label: string
        payloads: { name: string; type: string; options?: object[] }[]
      }[]
    >('/metrics', { metric: '', payload: {} })
    assert.deepEqual(
      metrics.map(metric => metric.value),
      ['sessions', 'cpu.load', 'memory_usage']
    )
    assert.equal(metrics[1]?.label, 'cpu.load (%)')
    for (const { name, type, options } of metrics[0]?.payloads ?? []) {
      const found = await ask<{ value: string }[]>('/metric-payload-options', {
        metric: 'cpu.load',
        payload: { aggregation: 'peak' },
        name
      })
      assert.equal(found.length > 0, type === 'select', name)
      if (options) assert.deepEqual(found, options)
      for (const { value } of found)
        await query([{ target: 'cpu.load', payload: { [name]: value } }])
    }
    assert.deepEqual(
      (
        await ask<{ value: string }[]>('/metric-payload-options', {
          metric: 'x',
          payload: {},
          name: 'product'
        })
      ).map(option => option.value),
      ['editor', 'viewer']
    )
  })

  test('answers a metric as time series within the points a panel asks for', async () => {
    for (const maxDataPoints of [10, 37, 100, 1_000]) {
      const points = await query([{ target: 'cpu.load', refId: 'A' }], { maxDataPoints })
      assert.equal(points.length, 1)
      const { datapoints, refId, target } = points[0]!
      assert.deepEqual([refId, target], ['A', 'cpu.load'])
      assert.ok(
        datapoints.length <= maxDataPoints && datapoints.length > maxDataPoints / 3,
        `${datapoints.length} of ${maxDataPoints}`
      )
      for (const exact of [
        [0, noon],
        [2_199, noon + 1_990_002]
      ])
        assert.ok(
          datapoints.some(([value, ms]) => value === exact[0] && ms === exact[1]),
          `${exact} is kept`
        )
      assert.ok(datapoints.every(([, ms], n) => n === 0 || ms >= datapoints[n - 1]![1]))
    }
    assert.deepEqual(
      await one(
        { aggregation: 'count', session: ids[0] },
        { range: { from: noon, to: noon + 100_000 }, maxDataPoints: 10 }
      ),
      Array.from({ length: 10 }, () => 1)
    )
    assert.deepEqual(await one({ aggregation: 'peak', per: 'session' }), [199, 1_199, 2_199])
    assert.deepEqual(await one('{"aggregation":"min","per":"session","status":"ended"}'), [2_000])
    assert.deepEqual(
      await query([
        {
          target: String.raw`cpu\.load`,
          payload: { product: '*', aggregation: 'average', per: 'session', session: ids[0] }
        }
      ]),
      [{ target: 'cpu.load', datapoints: [[99.5, noon]] }]
    )
  })

  test('groups by a state path, filters by state and by ad hoc filters, takes several targets', async () => {
    const groups = await query([
      {
        target: 'cpu.load',
        payload: { group_by: 'application.mode', aggregation: 'peak', per: 'session' }
      }
    ])
    assert.deepEqual(
      groups.map(({ target, datapoints }) => [target, datapoints.length]),
      [
        ['cpu.load editor', 2],
        ['cpu.load viewer', 1]
      ]
    )
    const peak = { aggregation: 'peak', per: 'session' }
    for (const [payload, expected] of [
      [{ contains: 'window_state.open=hammer' }, [1_199, 2_199]],
      [{ current: 'application.mode=editor' }, [199, 1_199]],
      [{ ever: 'application.mode=viewer' }, [2_199]],
      [{ ever_contains: 'window_state.open=space probe' }, [199]],
      [{ product: 'editor', status: 'active' }, [199, 1_199]]
    ] as const) {
      assert.deepEqual(await one({ ...peak, ...payload }), expected, JSON.stringify(payload))
    }
    for (const [filters, expected] of [
      [
        [
          { key: 'product', operator: '=', value: 'editor' },
          { key: 'version', operator: '=', value: '2' }
        ],
        [1_199]
      ],
      [[{ key: 'application.mode', operator: '=', value: 'viewer' }], [2_199]],
      [[{ key: 'machine_id', operator: '=', value: 'm0' }], [199]],
      [[{ key: 'status', value: 'ended' }], [2_199]]
    ] as const) {
      assert.deepEqual(await one(peak, { filters }), expected, JSON.stringify(filters))
    }
    const several = await query([
      { target: 'cpu.load', refId: 'A', payload: peak },
      { target: 'memory_usage', refId: 'B' },
      { target: 'nothing', refId: 'C' },
      { target: 'cpu.load', refId: 'D', hide: true },
      { refId: 'E' },
      { target: 'sessions', refId: 'F' }
    ])
    assert.deepEqual(
      several.map(found => found.refId),
      ['A', 'B', 'F']
    )
  })

  test('answers nothing where there is nothing', async () => {
    assert.deepEqual(await query([]), [])
    assert.deepEqual(await query([{ target: 'nothing' }]), [])
    assert.deepEqual(await query([{ target: 'cpu.load', payload: { product: 'none' } }]), [])
    assert.deepEqual(await query([{ target: 'cpu.load' }], { range: { from: 0, to: 1 } }), [])
    assert.deepEqual(
      (await query<Table[]>([{ target: 'sessions' }], { range: { from: 0, to: 1 } }))[0]?.rows,
      []
    )
  })

  test('answers sessions as a table, newest first', async () => {
    const [table] = await query<Table[]>([
      { target: 'sessions', refId: 'A', payload: { product: 'editor' } }
    ])
    assert.deepEqual(
      table?.columns.map(column => column.text),
      [
        'created_at',
        'id',
        'status',
        'product',
        'version',
        'hostname',
        'event_count',
        'metric_count'
      ]
    )
    assert.deepEqual(table?.rows, [
      [noon + 1, ids[1], 'active', 'editor', '2', 'host', 0, 201],
      [noon, ids[0], 'active', 'editor', '1', 'host', 0, 201]
    ])
  })

  test('lists variables, keys and values of filters, and what it lists can be filtered by', async () => {
    const variable = async (target: string): Promise<unknown[]> =>
      (await ask<VariableValue[]>('/variable', { payload: { target, variables: {} }, range })).map(
        ({ text, value, __text, __value }) => {
          assert.deepEqual([text, __text, __value], [value, value, value])
          return value
        }
      )
    assert.deepEqual(
      await Promise.all(
        [
          'products',
          'versions',
          'metrics',
          'sessions',
          'machines',
          'hostnames',
          'application.mode',
          'no.such'
        ].map(variable)
      ),
      [
        ['editor', 'viewer'],
        ['1', '2'],
        ['cpu.load', 'memory_usage'],
        ids.toReversed(),
        ['m0', 'm1', 'm2'],
        ['host'],
        ['editor', 'viewer'],
        []
      ]
    )
    const keys = (await ask<{ text: string }[]>('/tag-keys', {})).map(key => key.text)
    assert.deepEqual(keys.toSorted(), [...new Set(keys)].toSorted())
    assert.deepEqual(keys.toSorted(), [
      'application.mode',
      'machine_id',
      'product',
      'status',
      'version',
      'window_state.open'
    ])
    for (const key of keys) {
      const values = (await ask<{ text: string }[]>('/tag-values', { key })).map(
        value => value.text
      )
      assert.ok(values.length > 0, key)
      const found = await Promise.all(
        values.map(value =>
          query([{ target: 'memory_usage' }], { filters: [{ key, operator: '=', value }] })
        )
      )
      assert.ok(
        found.some(series => series.length > 0),
        key
      )
    }
    await shared.call('POST', `/v1/datacat/sessions/${ids[0]}/batch`, {
      states: [{ state: { passing: 1 } }, { state: { passing: { deeper: 2 } } }]
    })
    assert.deepEqual(
      (await ask<{ text: string }[]>('/tag-keys', {}))
        .map(key => key.text)
        .filter(key => key.startsWith('passing')),
      ['passing.deeper']
    )
  })

  test('refuses what is wrong and names the field', async () => {
    const target = (payload: unknown): object => ({
      targets: [{ target: 'sessions' }, { target: 'cpu.load', payload }]
    })
    const cases: [string, unknown, string][] = [
      ['/query', {}, '/body/targets'],
      ['/query', { targets: 1 }, '/body/targets'],
      ['/query', { targets: [{ target: 1 }] }, '/body/targets/0/target'],
      ['/query', '{', '/body'],
      ['/query', '[]', '/body'],
      ['/query', { targets: [{ target: 'a\u0000' }] }, '/body/targets/0/target'],
      ['/query', { targets: [], range: { from: 'x' } }, '/body/range/to'],
      ['/query', { ...target({}), range: { from: 'yesterday', to: 1 } }, '/body/range/from'],
      [
        '/query',
        { ...target({}), range: { from: 1, to: '2026-13-01T00:00:00Z' } },
        '/body/range/to'
      ],
      ['/query', target('{'), '/body/targets/1/payload'],
      ['/query', target('[]'), '/body/targets/1/payload'],
      ['/query', target({ colour: 'x' }), '/body/targets/1/payload/colour'],
      ['/query', target({ aggregation: 'mode' }), '/body/targets/1/payload/aggregation'],
      ['/query', target({ product: { a: 1 } }), '/body/targets/1/payload/product'],
      ['/query', target({ product: [['a']] }), '/body/targets/1/payload/product'],
      ['/query', target({ product: '\u0000' }), '/body/targets/1/payload/product'],
      ['/query', target({ status: 'dead' }), '/body/targets/1/payload/status'],
      ['/query', target({ session: 'x' }), '/body/targets/1/payload/session'],
      ['/query', target({ current: 'x' }), '/body/targets/1/payload/current'],
      ['/query', target({ ever_contains: '=x' }), '/body/targets/1/payload/ever_contains'],
      [
        '/query',
        {
          ...target({}),
          filters: [
            { key: 'a', operator: '=', value: '1' },
            { key: 'a', operator: '~', value: '1' }
          ]
        },
        '/body/filters/1/operator'
      ],
      [
        '/query',
        { ...target({}), filters: [{ key: 'status', value: 'x' }] },
        '/body/filters/0/value'
      ],
      ['/query', { ...target({}), filters: [{}] }, '/body/filters/0/key'],
      ['/variable', {}, '/body/payload'],
      ['/variable', { payload: {} }, '/body/payload/target'],
      ['/tag-values', {}, '/body/key'],
      ['/metric-payload-options', { metric: 'x', payload: {} }, '/body/name'],
      ['/metric-payload-options', { metric: 'x', payload: {}, name: 'colour' }, '/body/name']
    ]
    for (const [path, body, pointer] of cases) {
      const {
        status,
        body: answer,
        headers
      } = await shared.call('POST', `/api/grafana${path}`, body)
      assert.deepEqual(
        [status, headers.get('content-type')],
        [400, 'application/problem+json'],
        JSON.stringify(body)
      )
      const named = ((answer as ProblemAnswer).errors ?? []).map(error => error.pointer)
      assert.ok(named.includes(pointer), `${JSON.stringify(body)} names ${named.join(', ')}`)
    }
  })

  test('every saved panel and variable of the dashboard is answered', async () => {
    const dashboard = JSON.parse(readFileSync(dashboardFile, 'utf8')) as Dashboard
    const { __inputs: inputs } = dashboard
    const values: Record<string, string[]> = { product: ['*'] }
    for (const { name, type, query: asked } of dashboard.templating.list) {
      if (type === 'adhoc') continue
      const payload: unknown = type === 'query' ? JSON.parse(queryOf(asked)) : undefined
      const found =
        type === 'query'
          ? (await ask<VariableValue[]>('/variable', { payload, range })).map(each => each.value)
          : queryOf(asked).split(',')
      assert.ok(found.length > 0, `the variable ${name} has no value`)
      values[name] = [...(values[name] ?? []), ...found]
    }
    const asked = new Map<string, string>()
    for (const { title, targets } of dashboard.panels)
      for (const { target, payload } of targets)
        for (const metric of values['metric']!)
          for (const product of values['product']!.slice(0, 2))
            for (const aggregation of values['aggregation']!) {
              const fill = (text: string): string =>
                text
                  .replaceAll('$metric', metric)
                  .replaceAll(/\$\{product:glob\}/g, product)
                  .replaceAll('$aggregation', aggregation)
              asked.set(`${fill(target).replaceAll('.', String.raw`\.`)}\n${fill(payload)}`, title)
            }
    for (const [text, title] of asked) {
      const [target = '', payload = ''] = text.split('\n')
      assert.doesNotMatch(text, /\$/)
      const found = await query<(Table | Series)[]>([
        { target, payload: JSON.parse(payload) as object, refId: 'A' }
      ])
      assert.equal(
        found.some(each => ('rows' in each ? each.rows : each.datapoints).length > 0),
        !/Hung|Crashed/.test(title),
        `${title}: ${text}`
      )
    }
    const titles = dashboard.panels.map(panel => panel.title)
    assert.deepEqual(
      [titles.length, new Set(titles).size, inputs[0]?.pluginId],
      [7, 7, 'simpod-json-datasource']
    )
    assert.equal(asked.size, 2 * (3 + 1 + 1 + 2 * 9 + 2))
  })

  test('all of it was looked at', () => {
    assert.deepEqual(
      [...new Set(answers.map(each => each.path))].toSorted(),
      [...answerChecks.keys()].toSorted()
    )
    assert.ok(answers.length >= 138, `only ${answers.length} answers were validated`)
  })

  test('is what the description of the data source says', { skip: description.skip }, () => {
    const checks = readDescription(join(description.folder(), 'openapi.yaml'))
    assert.deepEqual([...checks.keys()].toSorted(), ['/', ...answerChecks.keys()].toSorted())
    for (const each of answers)
      if (each.path !== '/tag-values') checkAnswer(checks.get(each.path), each)
    assert.deepEqual(
      [...checks].flatMap(([name, check]) => (check ? [] : [name])),
      ['/', '/tag-values'],
      'what it does not describe'
    )
  })
})
