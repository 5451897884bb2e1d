import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeDatadog, json, window } from './loopback.ts'

const raw =
  (body: string) =>
  (response: import('node:http').ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }

test('quirk 17: ids beyond 2^53 keep every digit, in events that round their own id and in spans', async t => {
  const event = await fakeDatadog(
    t,
    raw(
      '{"status":"ok","event":{"id":6327818704671040000,"id_str":"6327818704671039975",' +
        '"url":"https://app.datadoghq.com/event/event?id=6327818704671039975"}}'
    )
  )
  assert.equal(
    (await event.account.createEvent({ title: 't', text: 'x', tags: [] })).id,
    '6327818704671039975'
  )
  const older = await fakeDatadog(
    t,
    raw(
      '{"status":"ok","event":{"id":5309722140426601000,' +
        '"url":"https://app.datadoghq.com/event/event?id=5309722140426601038"}}'
    )
  )
  assert.equal(
    (await older.account.createEvent({ title: 't', text: 'x', tags: [] })).id,
    '5309722140426601038'
  )
  const spans = await fakeDatadog(
    t,
    raw(
      '{"data":[{"id":"a","attributes":{"trace_id":12174885344805365765,' +
        '"span_id":"17551449796724253880","parent_id":9223372036854775807,' +
        '"start_timestamp":"2026-01-02T03:30:00Z"}},{"id":"b","attributes":{"trace_id":"1",' +
        '"span_id":"2","parent_id":"0","start_timestamp":"2026-01-02T03:30:00Z"}}]}'
    )
  )
  const { rows } = await spans.account.spans({ query: '', window, limit: 5 })
  assert.deepEqual(
    rows.map(row => [row.traceId, row.spanId, row.parentId]),
    [
      ['12174885344805365765', '17551449796724253880', '9223372036854775807'],
      ['1', '2', undefined]
    ]
  )
})

test(
  'quirk 18: a state is read from `status` in searches and from `overall_state` ' +
    'elsewhere, unknown words kept',
  async t => {
    const { account } = await fakeDatadog(t, (response, { url }) =>
      url.includes('/search')
        ? json(response, {
            monitors: [
              { id: 1, status: 'Ignored' },
              { id: 2, status: 'Superposed' }
            ],
            metadata: { total_count: 2 }
          })
        : json(response, { id: 1, query: 'q', type: 'quantum alert', overall_state: 'Skipped' })
    )
    assert.deepEqual(
      (await account.searchMonitors({ query: '', limit: 5 })).rows.map(row => row.state),
      ['Ignored', 'Superposed']
    )
    assert.deepEqual(
      [(await account.monitor('1')).state, (await account.monitor('1')).type],
      ['Skipped', 'quantum alert']
    )
  }
)

test(
  'quirk 19: nulls and gaps of a series stay what they are, and a bucket that ends ' +
    'after the window is dropped',
  async t => {
    const at = (minutes: number): number => window.from + minutes * 60_000
    const { account } = await fakeDatadog(t, response =>
      json(response, {
        status: 'ok',
        series: [
          {
            metric: 'm',
            interval: 300,
            pointlist: [
              [at(0), 1],
              [at(5), null],
              [at(40), 2],
              [at(58), 0.1]
            ]
          }
        ]
      })
    )
    assert.deepEqual((await account.metric({ query: 'q', window })).rows[0]?.points, [
      { at: at(0), value: 1 },
      { at: at(5), value: null },
      { at: at(40), value: 2 }
    ])
  }
)

test('quirk 19: buckets of a log aggregation are placed by their time, whatever their order', async t => {
  const series = [
    { time: '2026-01-02T03:40:00Z', value: 3 },
    { time: '2026-01-02T03:05:00Z', value: 1 }
  ]
  const { account, seen } = await fakeDatadog(t, response =>
    json(response, {
      data: { buckets: [{ by: { service: 'a' }, computes: { c0: series } }] },
      meta: { status: 'done', page: { after: 'more' } }
    })
  )
  const { rows, truncated } = await account.aggregateLogs({
    query: 'status:error',
    window,
    limit: 10,
    groupBy: ['service'],
    compute: { aggregation: 'count', interval: '5m' }
  })
  assert.deepEqual(rows, [
    {
      by: { service: 'a' },
      value: null,
      points: [
        { at: Date.parse('2026-01-02T03:05:00Z'), value: 1 },
        { at: Date.parse('2026-01-02T03:40:00Z'), value: 3 }
      ]
    }
  ])
  assert.equal(truncated, true)
  assert.deepEqual(seen[0]?.body.compute, [
    { aggregation: 'count', interval: '5m', type: 'timeseries' }
  ])
})

test('quirk 20: tags that come twice and end states that come in any order make no difference', async t => {
  const downtime = (states: string[]) => ({
    data: [
      {
        id: 'a',
        attributes: {
          scope: 'a:b',
          status: 'active',
          notify_end_states: states,
          monitor_identifier: { monitor_tags: ['x:y', 'x:y'] },
          schedule: {}
        }
      }
    ]
  })
  const one = await fakeDatadog(t, response => json(response, downtime(['alert', 'warn'])))
  const two = await fakeDatadog(t, response => json(response, downtime(['warn', 'alert'])))
  const [first, second] = [
    await one.account.downtimes({ limit: 5 }),
    await two.account.downtimes({ limit: 5 })
  ]
  assert.deepEqual(first.rows, second.rows)
  assert.deepEqual(first.rows[0]?.monitorTags, ['x:y'])
})

test('quirk 21: the service of a log comes from its tags or attributes when the field is absent', async t => {
  const timestamp = '2026-01-02T03:30:00Z'
  const { account } = await fakeDatadog(t, response =>
    json(response, {
      data: [
        { id: '1', attributes: { timestamp, tags: ['service:a'] } },
        { id: '2', attributes: { timestamp, attributes: { service: 'b' } } },
        { id: '3', attributes: { timestamp } }
      ]
    })
  )
  assert.deepEqual(
    (await account.logs({ query: '', window, limit: 5 })).rows.map(row => row.service),
    ['a', 'b', undefined]
  )
})

test(
  'quirk 21: events that are indexed late are looked for once more, 5 minutes around, ' +
    'and only when that was asked for',
  async t => {
    const { account, seen } = await fakeDatadog(t, (response, _seen, nth) =>
      json(response, {
        data:
          nth === 3
            ? [{ id: '1', attributes: { timestamp: '2026-01-02T02:58:00Z', tags: [] } }]
            : []
      })
    )
    const search = { query: 'source:alert', window, limit: 5 }
    assert.deepEqual((await account.events(search)).rows, [])
    const found = await account.events({ ...search, widen: true })
    assert.deepEqual(
      [found.rows.length, found.asked.from, found.asked.to, seen.length],
      [1, '2026-01-02T02:55:00.000Z', '2026-01-02T04:05:00.000Z', 3]
    )
    assert.match(found.warnings.join(), /5 minutes more at both ends/)
  }
)

test(
  'quirk 23: any success status is success, an empty 204 included, and a deletion of ' +
    'what is gone as well',
  async t => {
    const id = '00000000-0000-4000-8000-000000000000'
    for (const [status, body] of [
      [200, '{}'],
      [204, undefined],
      [404, '{"errors":["Downtime not found"]}']
    ] as const) {
      const { account } = await fakeDatadog(t, response =>
        response
          .writeHead(status, {
            'content-type': status === 204 ? 'text/html; charset=utf-8' : 'application/json'
          })
          .end(body)
      )
      assert.equal(await account.cancelDowntime(id), undefined)
    }
    for (const status of [200, 201, 202]) {
      const { account } = await fakeDatadog(t, response =>
        json(response, { status: 'ok', event: { id_str: '7' } }, status)
      )
      assert.equal((await account.createEvent({ title: 't', text: 'x', tags: [] })).id, '7')
    }
  }
)

test('quirk 26: lists are always paged, also where Datadog would send everything at once', async t => {
  const { account, seen } = await fakeDatadog(t, (response, { url }) =>
    json(
      response,
      url.includes('/hosts') ? { host_list: [] } : url.includes('/services') ? { data: [] } : []
    )
  )
  await account.monitors({ limit: 5 })
  await account.hosts({ filter: '', limit: 5 })
  await account.services({ limit: 5 })
  const sent = seen.map(({ url }) => Object.fromEntries(new URL(url, 'http://x').searchParams))
  assert.deepEqual(
    [
      sent[0]?.['page'],
      sent[0]?.['page_size'],
      sent[1]?.['start'],
      sent[1]?.['count'],
      sent[2]?.['page[size]'],
      sent[2]?.['page[number]']
    ],
    ['0', '6', '0', '6', '6', '0']
  )
})

test('quirk 26: hosts that move between pages while they are read count once', async t => {
  const pages = [['a', 'b'], ['b', 'c'], ['d']]
  const { account } = await fakeDatadog(
    t,
    (response, _seen, nth) =>
      json(response, { host_list: (pages[nth - 1] ?? []).map(name => ({ name })) }),
    { pageSize: 2 }
  )
  assert.deepEqual(
    (await account.hosts({ filter: '', limit: 50 })).rows.map(row => row.name),
    ['a', 'b', 'c', 'd']
  )
})
