import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { before, describe, test } from 'node:test'
import { suiteApp } from '../../../core/test/suite-app.ts'
import datacat from '../plugin.ts'
import type { ProblemAnswer } from './answers.ts'
import { answerChecks } from './grafana-answers.ts'
import type { Dashboard, Series, Table } from './grafana-shapes.ts'

const shared = suiteApp({ plugins: [datacat] })
const noon = Date.UTC(2026, 0, 31, 12)
const range = {
  from: new Date(noon - 1_000).toISOString(),
  to: new Date(noon + 60_000).toISOString()
}
const peak = { aggregation: 'peak', per: 'session' }

/** How the data source writes the values of a variable into a text, by the name of the format. */
const written = {
  regex(values: readonly string[]): string {
    const escaped = values.map(text => text.replaceAll(/[\\^$*+?.()|[\]{}/]/g, String.raw`\$&`))
    return escaped.length === 1 ? String(escaped[0]) : `(${escaped.join('|')})`
  },
  glob: (values: readonly string[]): string =>
    values.length === 1 ? String(values[0]) : `{${values.join(',')}}`
}

async function ask<T>(body: object): Promise<T> {
  const { status, body: answer } = await shared.call('POST', '/api/grafana/query', {
    range,
    maxDataPoints: 100,
    ...body
  })
  assert.equal(status, 200, `${JSON.stringify(body)}: ${JSON.stringify(answer)}`)
  const check = answerChecks.get('/query')
  assert.ok(check?.(answer), JSON.stringify(check?.errors))
  const answered: unknown = answer
  return answered as T
}
/** Values of every line, by its name. */
async function lines(target: object, more: object = {}): Promise<Record<string, number[]>> {
  const found = await ask<Series[]>({ targets: [target], ...more })
  return Object.fromEntries(found.map(one => [one.target, one.datapoints.map(([value]) => value)]))
}
const table = async (filters: readonly object[], name = 'filters'): Promise<Table> => {
  const [first] = await ask<Table[]>({ targets: [{ target: 'sessions' }], [name]: filters })
  assert.ok(first)
  return first
}
/** Names of the hosts of the sessions that pass. */
async function hosts(filters: readonly object[], name = 'filters'): Promise<unknown[]> {
  const { columns, rows } = await table(filters, name)
  const at = columns.findIndex(column => column.text === 'hostname')
  return rows.map(row => row[at]).toSorted()
}

describe('the data source of Grafana itself', () => {
  before(async () => {
    for (const [n, [product, version, hostname, mode]] of (
      [
        ['my.editor', '1.0', 'a', 'read only'],
        ['viewer', '1.1', 'b', 'read+write'],
        ['plan{ner', '2.0', 'c', '100%'],
        [undefined, undefined, 'd', undefined]
      ] as const
    ).entries()) {
      const { body } = await shared.call('POST', '/v1/datacat/sessions', {
        hostname,
        started_at: noon + n,
        ...(product === undefined ? {} : { product, version }),
        state: { app: { mode, 'tabs.open': ['x', hostname] } }
      })
      const id = String(body['session_id'])
      const metrics = [
        { name: 'cpu.load', value: n, tags: [`env:${n % 2 ? 'test' : 'prod'}`, 'host'] },
        { name: 'memory', value: 10 * n, tags: n === 3 ? [] : ['env:prod'] }
      ].map(metric => ({ ...metric, timestamp: noon + n }))
      await shared.call('POST', `/v1/datacat/sessions/${id}/batch`, {
        metrics,
        events: Array.from({ length: n }, () => ({ name: 'e' }))
      })
      if (n === 1) await shared.call('POST', `/v1/datacat/sessions/${id}/end`)
    }
  })

  describe('a variable in a panel', () => {
    const products = ['my.editor', 'plan{ner']
    for (const format of ['regex', 'glob'] as const)
      for (const values of [['my.editor'], products])
        test(`of ${values.length} as ${format} chooses products, paths and metrics`, async () => {
          const expected = values === products ? [0, 2] : [0]
          const product = written[format](values)
          const cpu = written.regex(['cpu.load'])
          assert.deepEqual(await lines({ target: cpu, payload: { ...peak, product } }), {
            'cpu.load': expected
          })
          const both = written.regex(['cpu.load', 'memory'])
          assert.deepEqual(await lines({ target: both, payload: { ...peak, product } }), {
            'cpu.load': expected,
            memory: expected.map(n => 10 * n)
          })
          const modes = written[format](['read only', '100%'].slice(0, values.length))
          const current = `${format === 'regex' ? String.raw`app\.mode` : 'app.mode'}=${modes}`
          assert.deepEqual(await lines({ target: cpu, payload: { ...peak, current } }), {
            'cpu.load': expected
          })
        })

    test('of several values may come as a list, and on "All" chooses everything', async () => {
      for (const [payload, expected] of [
        [{ product: products }, [0, 2]],
        [{ product: ['viewer', '*'] }, [0, 1, 2, 3]],
        [{ product: [] }, [0, 1, 2, 3]],
        [{ status: ['ended', 'hung'] }, [1]],
        [{ status: '{active,ended}' }, [0, 1, 2, 3]],
        [{ contains: [String.raw`app.tabs.open=x`, 'app.tabs.open=b'] }, [1]]
      ] as const)
        assert.deepEqual(
          await lines({ target: 'cpu.load', payload: { ...peak, ...payload } }),
          { 'cpu.load': expected },
          JSON.stringify(payload)
        )
    })

    test('that names too many metrics, or a status nobody has, is refused by name', async () => {
      const many = written.regex(Array.from({ length: 21 }, (_, n) => `m${n}`))
      for (const [target, pointer] of [
        [{ target: many }, '/body/targets/0/target'],
        [{ target: 'm', payload: { status: '(active|odd)' } }, '/body/targets/0/payload/status']
      ] as const) {
        const { status, body } = await shared.call('POST', '/api/grafana/query', {
          targets: [target]
        })
        assert.deepEqual([status, (body as ProblemAnswer).errors?.[0]?.pointer], [400, pointer])
      }
    })

    test('works in every panel of the dashboard that has it, one value, several, and all', async () => {
      const file = new URL('../../../assets/grafana-datacat-dashboard.json', import.meta.url)
      const { panels, templating } = JSON.parse(readFileSync(file, 'utf8')) as Dashboard
      assert.equal(templating.list.find(one => one.name === 'product')?.multi, true)
      let count = 0
      for (const { title, targets } of panels)
        for (const { target, payload } of targets)
          for (const values of [['my.editor'], ['my.editor', 'viewer'], ['*']]) {
            const text = payload
              .replaceAll(/\$\{product:glob\}/g, written.glob(values))
              .replaceAll('$aggregation', 'average')
            assert.doesNotMatch(text, /\$/, title)
            const found = await ask<(Series | Table)[]>({
              targets: [
                {
                  target: target.replace('$metric', written.regex(['cpu.load'])),
                  payload: JSON.parse(text) as object
                }
              ]
            })
            count += found.length
          }
      assert.ok(count >= 15, `${count} answers`)
    })
  })

  describe('a filter of the dashboard', () => {
    for (const [filters, expected] of [
      [[{ key: 'product', operator: '=', value: 'my.editor' }], ['a']],
      [[{ key: 'product', operator: '!=', value: 'my.editor' }], ['b', 'c', 'd']],
      [[{ key: 'product', operator: '=', value: '' }], ['d']],
      [[{ key: 'product', operator: '!=', value: '' }], ['a', 'b', 'c']],
      [[{ key: 'product', operator: '=~', value: '.*e.*' }], ['a', 'b', 'c']],
      [
        [{ key: 'product', operator: '=~', value: String.raw`my\.(edit|read)or|^view..$` }],
        ['a', 'b']
      ],
      [[{ key: 'product', operator: '!~', value: 'view.+' }], ['a', 'c', 'd']],
      [
        [{ key: 'product', operator: '=|', value: 'viewer', values: ['viewer', 'plan{ner'] }],
        ['b', 'c']
      ],
      [[{ key: 'product', operator: '!=|', value: 'viewer', values: ['viewer', ''] }], ['a', 'c']],
      [[{ key: 'version', operator: '=~', value: String.raw`1\..` }], ['a', 'b']],
      [
        [
          { key: 'hostname', operator: '!=', value: 'c' },
          { key: 'version', operator: '!=', value: '1.0' }
        ],
        ['b', 'd']
      ],
      [[{ key: 'status', operator: '=', value: 'ended' }], ['b']],
      [[{ key: 'status', operator: '!=', value: 'ended' }], ['a', 'c', 'd']],
      [[{ key: 'status', operator: '=~', value: 'act.*|hung' }], ['a', 'c', 'd']],
      [[{ key: 'status', operator: '=|', value: 'ended', values: ['ended', 'hung'] }], ['b']],
      [[{ key: 'app.mode', operator: '!=', value: 'read only' }], ['b', 'c', 'd']],
      [[{ key: 'app.mode', operator: '=~', value: String.raw`read.*|100\%` }], ['a', 'b', 'c']],
      [[{ key: 'app.mode', operator: '!~', value: 'read.*' }], ['c', 'd']],
      [[{ key: 'app.mode', operator: '=~', value: '100_' }], []],
      [[{ key: 'event_count', operator: '>', value: '1' }], ['c', 'd']],
      [[{ key: 'event_count', operator: '=', value: 0 }], ['a']],
      [[{ key: 'metric_count', operator: '!=', value: '2' }], []],
      [[{ key: 'created_at', operator: '<', value: String(noon + 2) }], ['a', 'b']],
      [[{ key: 'created_at', operator: '>', value: new Date(noon + 2).toISOString() }], ['d']],
      [[{ key: 'id', operator: '!=', value: 'no id' }], ['a', 'b', 'c', 'd']],
      [[{ key: 'tag', operator: '=', value: 'env:test' }], ['b', 'd']],
      [[{ key: 'tag:env', operator: '=', value: 'test' }], ['b', 'd']],
      [[{ key: 'tag:env', operator: '!=', value: 'prod' }], ['d']],
      [[{ key: 'tag:env', operator: '=~', value: 'te.t|none' }], ['b', 'd']]
    ] as const)
      test(`${filters.map(one => `${one.key} ${one.operator} ${one.value}`).join(' and ')}`, async () => {
        assert.deepEqual(await hosts(filters), expected)
        assert.deepEqual(await hosts(filters, 'adhocFilters'), expected, 'of an old data source')
      })

    test('clicked in any cell of the table finds its row, or all the others', async () => {
      const { columns, rows } = await table([])
      for (const row of rows)
        for (const [n, { text: key }] of columns.entries()) {
          const value = String(row[n])
          const same = rows.filter(one => String(one[n]) === value)
          for (const [operator, expected] of [
            ['=', same],
            ['!=', rows.filter(one => !same.includes(one))]
          ] as const)
            assert.deepEqual(
              (await table([{ key, operator, value }])).rows,
              expected,
              `${key} ${operator} ${value}`
            )
        }
    })

    test('by a tag narrows the lines of a metric, not only the sessions', async () => {
      const of = async (operator: string, value: string): Promise<unknown> =>
        lines(
          { target: '(cpu.load|memory)', payload: peak },
          { filters: [{ key: 'tag:env', operator, value }] }
        )
      assert.deepEqual(await of('=', 'prod'), { 'cpu.load': [0, 2], memory: [0, 10, 20] })
      assert.deepEqual(await of('!=', 'prod'), { 'cpu.load': [1, 3], memory: [30] })
      assert.deepEqual(await of('=~', 'p.*'), { 'cpu.load': [0, 2], memory: [0, 10, 20] })
      assert.deepEqual(await lines({ target: 'memory', payload: { ...peak, tag: 'env:prod' } }), {
        memory: [0, 10, 20]
      })
      assert.deepEqual(
        await lines({ target: 'cpu.load', payload: { ...peak, group_by: 'tag:env' } }),
        { 'cpu.load prod': [0, 2], 'cpu.load test': [1, 3] }
      )
    })

    for (const [filter, pointer] of [
      [{ key: 'product', operator: '~', value: 'x' }, 'operator'],
      [{ key: 'product', operator: '<', value: 'x' }, 'operator'],
      [{ key: 'product', operator: '=~', value: '[a-z]+' }, 'value'],
      [{ key: 'product', operator: '=~', value: '(a+)+$' }, 'value'],
      [{ key: 'product', operator: '=~', value: '(a' }, 'value'],
      [{ key: 'product', operator: '=~', value: `(${'(a|b)'.repeat(7)})` }, 'value'],
      [{ key: 'status', operator: '=', value: 'odd' }, 'value'],
      [{ key: 'event_count', operator: '=', value: 'many' }, 'value'],
      [{ key: 'event_count', operator: '=~', value: '1.*' }, 'operator'],
      [{ key: 'created_at', operator: '<', value: 'yesterday' }, 'value'],
      [{ key: 'app.mode', operator: '=', value: 'a\u0000' }, 'value']
    ] as const)
      test(`${filter.key} ${filter.operator} ${JSON.stringify(filter.value)} is refused by name`, async () => {
        const { status, body } = await shared.call('POST', '/api/grafana/query', {
          targets: [{ target: 'sessions' }],
          filters: [filter]
        })
        assert.equal(status, 400)
        assert.equal((body as ProblemAnswer).errors?.[0]?.pointer, `/body/filters/0/${pointer}`)
      })

    test('knows the keys of tags and their values, and variables list them', async () => {
      const post = async (path: string, asked: object): Promise<{ text: string }[]> => {
        const answer: unknown = (await shared.call('POST', `/api/grafana${path}`, asked)).body
        return answer as { text: string }[]
      }
      const texts = async (path: string, asked: object) =>
        (await post(path, asked)).map(one => one.text)
      assert.deepEqual(
        (await texts('/tag-keys', {})).filter(text => text.startsWith('tag')),
        ['tag', 'tag:env']
      )
      assert.deepEqual(await texts('/tag-values', { key: 'tag:env' }), ['prod', 'test'])
      assert.deepEqual(await texts('/tag-values', { key: 'tag' }), ['env:prod', 'env:test', 'host'])
      assert.deepEqual(await texts('/variable', { payload: { target: 'tag:env' } }), [
        'prod',
        'test'
      ])
    })
  })
})
