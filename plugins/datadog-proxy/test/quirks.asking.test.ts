import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  epochMs,
  toSeconds,
  type EpochMs,
  type EpochSeconds,
  type Ns
} from '../../../core/index.ts'
import { readScope } from '../service/client/write-downtime.ts'
import { resolveTime, resolveWindow } from '../routes/time-range.ts'
import { fakeDatadog, json, keys, window } from './loopback.ts'
import { proxyApp } from './proxy-app.ts'

const line = (id: string) => ({
  id,
  type: 'log',
  attributes: {
    timestamp: '2026-01-02T03:30:00.123Z',
    status: 'error',
    message: id,
    tags: [],
    attributes: { duration: 1_800_000 }
  }
})
const empty = { data: [], meta: { status: 'done' } }

test(
  'quirk 1: seconds, milliseconds and nanoseconds are different types and reach the ' +
    'wire in the unit of each endpoint',
  async t => {
    const span = {
      id: 's',
      attributes: {
        trace_id: '1',
        span_id: '2',
        start_timestamp: '2026-01-02T03:30:00Z',
        custom: { duration: 990_123 }
      }
    }
    const { account, seen } = await fakeDatadog(t, (response, { url }) =>
      json(
        response,
        url.includes('/query')
          ? { status: 'ok', series: [] }
          : url.includes('totals')
            ? { total_up: 1, total_active: 1 }
            : url.includes('spans')
              ? { data: [span] }
              : { status: 'ok', event: { id_str: '1' } }
      )
    )
    await account.metric({ query: 'q', window })
    await account.hostTotals({ from: window.from })
    await account.createEvent({ title: 't', text: 'x', tags: [], at: window.from })
    const query = new URL(seen[0]!.url, 'http://x').searchParams
    assert.deepEqual(
      [
        query.get('from'),
        new URL(seen[1]!.url, 'http://x').searchParams.get('from'),
        seen[2]?.body.date_happened
      ],
      [String(window.from / 1000), String(window.from / 1000), window.from / 1000]
    )
    const [row] = (await account.spans({ query: '', window, limit: 1 })).rows
    const duration: Ns | undefined = row?.durationNs
    assert.equal(duration, 990_123)
    // @ts-expect-error seconds are not milliseconds
    const wrong: EpochMs = toSeconds(window.from) satisfies EpochSeconds
    assert.ok(wrong < window.from)
  }
)

test('quirk 2: times are resolved here to absolute UTC, whatever the caller writes', () => {
  const now = Date.parse('2026-01-02T03:00:00Z')
  const at = (text: string): string => new Date(resolveTime(text, '/query/from', now)).toISOString()
  for (const text of [
    'now-15m',
    '2026-01-02T02:45:00Z',
    '2026-01-02T02:45:00',
    '2026-01-02 02:45',
    '2026-01-02T04:45:00+02:00',
    '2026-01-02T04:45:00 02:00',
    '1767321900',
    '1767321900000'
  ])
    assert.equal(at(text), '2026-01-02T02:45:00.000Z', text)
  for (const text of [
    '-24h',
    'yesterday',
    '02:45',
    'now-15',
    'now - 15m',
    '1',
    '2026-13-01',
    'NaN'
  ])
    assert.throws(() => at(text), /\/query\/from is a time such as/, text)
  assert.throws(
    () => resolveWindow({ from: 'now', to: 'now-1m' }, '/query', 'now-1h', now),
    /must lie before to/
  )
})

test(
  'quirk 3: reading ends at the limit and says truncated, and a search never stops at ' +
    'the first page by itself',
  async t => {
    const { account, seen } = await fakeDatadog(
      t,
      (response, { body }, nth) =>
        json(response, {
          data: Array.from({ length: body.page.limit }, (_, n) => line(`${nth}-${n}`)),
          meta: { page: { after: `c${nth}` } }
        }),
      { pageSize: 3 }
    )
    const { rows, truncated } = await account.logs({ query: '', window, limit: 7 })
    assert.deepEqual([rows.length, truncated, seen.length], [7, true, 3])
  }
)

test(
  'quirk 4: a cursor that is null, repeated or expired, and a short page, end the ' +
    'reading or are an error: never a loop',
  async t => {
    let next: string | null = null
    const { account, seen } = await fakeDatadog(
      t,
      (response, { body }) =>
        body.page.cursor === 'expired'
          ? json(
              response,
              {
                errors: [
                  "{'errors': [u\"input_validation_error(Field 'page' is invalid: invalid cursor)\"]}"
                ]
              },
              400
            )
          : json(response, { data: [line('a'), line('b')], meta: { page: { after: next } } }),
      { pageSize: 2 }
    )
    assert.equal((await account.logs({ query: '', window, limit: 50 })).rows.length, 2)
    next = 'same'
    assert.match(
      (await account.logs({ query: '', window, limit: 50 })).warnings.join(),
      /repeated its page cursor/
    )
    next = 'expired'
    await assert.rejects(account.logs({ query: '', window, limit: 50 }), /400: .*invalid cursor/)
    assert.equal(seen[0]?.body.page.limit, 2)
    assert.equal(seen.length, 5)
  }
)

test("quirk 5: paging does not change the caller's input", async t => {
  const { account } = await fakeDatadog(
    t,
    (response, _seen, nth) =>
      json(response, {
        data: [line(`a${nth}`), line(`b${nth}`)],
        meta: { page: { after: nth < 3 ? `c${nth}` : null } }
      }),
    { pageSize: 2 }
  )
  const input = Object.freeze({ query: 'x', window: Object.freeze({ ...window }), limit: 50 })
  assert.equal((await account.logs(input)).rows.length, 6)
  assert.deepEqual(input, { query: 'x', window, limit: 50 })
})

test(
  'quirk 6: a tier without lines is followed by the next one, and the answer says ' +
    'which tier and that old lines may be missing',
  async t => {
    const { account, seen } = await fakeDatadog(t, (response, { body }) => {
      const { storage_tier: tier } = body.filter
      if (tier === 'flex') json(response, { errors: ['no such tier'] }, 400)
      else json(response, tier === 'online-archives' ? { data: [line('old')] } : empty)
    })
    const found = await account.logs({ query: 'x', window, limit: 5 })
    assert.deepEqual([found.rows.length, found.asked.tier], [1, 'online-archives'])
    assert.match(
      found.warnings.join(),
      /the tier indexes has no lines for this, these are from online-archives/
    )
    assert.deepEqual(
      seen.map(({ body }) => body.filter.storage_tier),
      [undefined, 'flex', 'online-archives']
    )
    await account.logs({ query: 'x', window, limit: 5 })
    assert.equal(seen.length, 5)
    assert.equal(
      (await account.logs({ query: 'x', window, limit: 5, tier: 'indexes' })).asked.tier,
      'indexes'
    )
  }
)

test('quirk 6: an account whose indexes have lines is not asked for other tiers about recent times', async t => {
  let data = [line('a')]
  const { account, seen } = await fakeDatadog(t, response => json(response, { data }))
  const recent = { from: epochMs(Date.now() - 3_600_000), to: epochMs(Date.now()) }
  await account.logs({ query: 'x', window: recent, limit: 5 })
  data = []
  assert.deepEqual((await account.logs({ query: 'y', window: recent, limit: 5 })).warnings, [])
  assert.equal(seen.length, 2)
  assert.match(
    (await account.logs({ query: 'x', window, limit: 5, tier: 'indexes' })).warnings.join(),
    /more than 3 days ago/
  )
})

test('quirk 7: an answer that Datadog gave in part says so', async t => {
  const { account } = await fakeDatadog(t, (response, { url }) =>
    json(response, {
      data: url.includes('aggregate') ? { buckets: [] } : [line('a')],
      meta: { status: 'timeout', warnings: [{ title: 'missing index', detail: 'foo' }] }
    })
  )
  const expected = ['Datadog ran out of time and answered in part', 'missing index: foo']
  assert.deepEqual((await account.events({ query: '', window, limit: 5 })).warnings, expected)
  assert.deepEqual(
    (await account.aggregateLogs({ query: '', window, limit: 5 })).warnings,
    expected
  )
})

test('quirk 8: an empty answer says what was asked: query, window and tier', async t => {
  const { account } = await fakeDatadog(t, response => json(response, empty))
  assert.deepEqual((await account.logs({ query: 'service:a', window, limit: 5 })).asked, {
    query: 'service:a',
    from: '2026-01-02T03:00:00.000Z',
    to: '2026-01-02T04:00:00.000Z',
    limit: 5,
    tier: 'indexes, flex, online-archives'
  })
})

test('quirk 9: senseless resets never make a call sleep for long', async t => {
  for (const reset of ['3494', '0', 'soon', '-1', '']) {
    const { account, waits } = await fakeDatadog(t, response =>
      json(response, { errors: ['slow down'] }, 429, {
        'x-ratelimit-limit': '100',
        'x-ratelimit-period': '10',
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': reset
      })
    )
    await assert.rejects(account.monitor('1'), /slow down/)
    assert.ok(
      waits.every(wait => wait <= 20_000),
      `${reset}: ${waits.join()}`
    )
  }
})

test('quirk 10: what is created twice is found the second time', async t => {
  const hooks = new Map<string, object>()
  const { account, seen } = await fakeDatadog(t, (response, { method, url, body }) => {
    const name = url.split('/').at(-1) ?? ''
    if (method === 'POST') {
      hooks.set(body.name, { ...body, encode_as: 'json', custom_headers: null })
      json(response, hooks.get(body.name), 201)
    } else if (hooks.has(name)) json(response, hooks.get(name))
    else json(response, { errors: ['Webhook does not exist'] }, 404)
  })
  const webhook = { name: 'rayne', url: 'https://rayne.example/v1/webhooks/receive' }
  assert.deepEqual(
    (await account.createWebhook(webhook)).url,
    (await account.createWebhook(webhook)).url
  )
  await assert.rejects(
    account.createWebhook({ ...webhook, url: 'https://other.example' }),
    /already has a webhook named 'rayne' that sends something else/
  )
  assert.equal(seen.filter(one => one.method === 'POST').length, 1)
})

test(
  'quirk 22: a scope with commas is joined by AND, needs key:value, and everything is ' +
    'muted only when that is confirmed',
  async t => {
    assert.equal(readScope({ scope: 'env:prod, team:x' }), 'env:prod AND team:x')
    assert.equal(
      readScope({ scope: 'env IN (prod, staging),host:"a,b"' }),
      'env IN (prod, staging) AND host:"a,b"'
    )
    assert.equal(readScope({ scope: '*', everything: true }), '*')
    for (const scope of ['', ' ', '*', 'prod', 'env:prod,', 'env:', ':prod', 'env:prod,*', '*:*'])
      assert.throws(() => readScope({ scope }), /mutes everything|key:value/, scope)
    const { url, seen } = await fakeDatadog(t, response => json(response, {}))
    const { ask } = await proxyApp(t, [{ name: 'a', baseUrl: url, appUrl: url, ...keys }])
    // `to` must be given, if only as null: a mute that nobody thought to end is the trap.
    assert.match(
      (await ask('POST', '/v1/downtimes', { scope: 'env:prod', monitor_id: 1 })).body.error,
      /\/body\/to is required/
    )
    assert.equal(seen.length, 0)
  }
)
