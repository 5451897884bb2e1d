import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DatadogError } from '../contract.ts'
import { fakeDatadog, json, window, type Seen } from './loopback.ts'

const log = (id: string) => ({
  id,
  type: 'log',
  attributes: {
    timestamp: '2026-01-02T03:30:00.123Z',
    status: 'error',
    message: `line ${id}`,
    tags: ['env:prod', 'env:prod']
  }
})
const page = (ids: string[], after?: string | null, meta: object = {}) => ({
  data: ids.map(log),
  meta: { ...meta, ...(after === undefined ? {} : { page: { after } }) }
})
const limits = ({ body }: Seen): number => body.page.limit
const cursors = (seen: readonly Seen[]): unknown[] => seen.map(({ body }) => body.page.cursor)

test('a cursor of null ends the paging', async t => {
  const { account, seen } = await fakeDatadog(
    t,
    response => json(response, page(['a', 'b'], null)),
    { pageSize: 2 }
  )
  assert.deepEqual(
    (await account.logs({ query: '', window, limit: 50 })).rows.map(row => row.id),
    ['a', 'b']
  )
  assert.equal(seen.length, 1)
})

test('a repeated cursor ends the paging with a warning', async t => {
  const { account, seen } = await fakeDatadog(
    t,
    (response, _seen, nth) => json(response, page([`${nth}a`, `${nth}b`], 'again')),
    { pageSize: 2 }
  )
  const { rows, warnings } = await account.logs({ query: '', window, limit: 50 })
  assert.equal(rows.length, 4)
  assert.match(warnings.join(), /repeated its page cursor/)
  assert.equal(seen.length, 2)
})

test('a short page ends the paging; one with a cursor says so', async t => {
  const { account, seen } = await fakeDatadog(
    t,
    (response, _seen, nth) =>
      json(response, nth === 1 ? page(['a', 'b'], 'c1') : page(['c'], 'c2')),
    { pageSize: 2 }
  )
  const { rows, truncated, warnings } = await account.logs({ query: '', window, limit: 50 })
  assert.deepEqual([rows.length, truncated, seen.length], [3, false, 2])
  assert.match(warnings.join(), /gave 1 of 2 rows asked for and still a cursor/)
  assert.deepEqual(cursors(seen), [undefined, 'c1'])
})

test('a row that comes on two pages counts once', async t => {
  const { account } = await fakeDatadog(
    t,
    (response, _seen, nth) => json(response, nth === 1 ? page(['a', 'b'], 'c1') : page(['b', 'c'])),
    { pageSize: 2 }
  )
  assert.deepEqual(
    (await account.logs({ query: '', window, limit: 50 })).rows.map(row => row.id),
    ['a', 'b', 'c']
  )
})

test('pages that repeat the same rows under new cursors come to an end', async t => {
  const { account, seen } = await fakeDatadog(
    t,
    (response, _seen, nth) => json(response, page(['a', 'b'], `c${nth}`)),
    { pageSize: 2 }
  )
  const { rows, truncated, warnings } = await account.logs({ query: '', window, limit: 6 })
  assert.deepEqual([rows.length, truncated, seen.length], [2, true, 5])
  assert.match(warnings.join(), /kept repeating rows/)
})

test('one row more than the limit is asked for, and makes it truncated', async t => {
  const { account, seen } = await fakeDatadog(t, (response, { body }) =>
    json(response, page(['a', 'b', 'c', 'd'].slice(0, body.page.limit), 'c1'))
  )
  const { rows, truncated, asked } = await account.logs({ query: 'x', window, limit: 3 })
  assert.deepEqual([rows.length, truncated, seen.map(limits)], [3, true, [4]])
  assert.deepEqual(asked, {
    query: 'x',
    from: '2026-01-02T03:00:00.000Z',
    to: '2026-01-02T04:00:00.000Z',
    limit: 3,
    tier: 'indexes'
  })
})

test('exactly as many rows as the limit are not truncated', async t => {
  const { account } = await fakeDatadog(t, response => json(response, page(['a', 'b', 'c'])))
  assert.equal((await account.logs({ query: 'x', window, limit: 3 })).truncated, false)
})

test('no page asks for more than 1000 rows and the window stays the same', async t => {
  const rows = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, n) => String(from + n))
  const { account, seen } = await fakeDatadog(t, (response, _seen, nth) =>
    json(response, page(rows(nth * 1000, 1000), `c${nth}`))
  )
  const result = await account.logs({ query: '', window, limit: 1500 })
  assert.deepEqual(
    [result.rows.length, result.truncated, seen.map(limits)],
    [1500, true, [1000, 1000]]
  )
  assert.deepEqual(seen[0]?.body.filter, seen[1]?.body.filter)
})

test('a limit that is no whole number from 1 to 10000 is refused before anything is sent', async t => {
  const { account, seen } = await fakeDatadog(t, response => json(response, page([])))
  for (const limit of [0, -1, 1.5, NaN, Infinity, 10_001])
    await assert.rejects(account.logs({ query: '', window, limit }), DatadogError)
  assert.equal(seen.length, 0)
})

test("Datadog's time-out status and warnings travel with the rows", async t => {
  const { account } = await fakeDatadog(t, response =>
    json(
      response,
      page(['a'], undefined, {
        status: 'timeout',
        warnings: [
          {
            code: 'unknown_index',
            detail: 'indexes: foo',
            title: 'One or several indexes are missing'
          }
        ]
      })
    )
  )
  assert.deepEqual((await account.events({ query: '', window, limit: 5 })).warnings, [
    'Datadog ran out of time and answered in part',
    'One or several indexes are missing: indexes: foo'
  ])
})

test('a row without id or time is left out with a warning', async t => {
  const { account } = await fakeDatadog(t, response =>
    json(response, { data: [log('a'), { id: 'b', attributes: {} }, null] })
  )
  const { rows, warnings } = await account.events({ query: '', window, limit: 5 })
  assert.deepEqual(
    [rows.length, warnings],
    [1, ['2 rows without the expected fields were left out']]
  )
})

test('hosts are paged by offset and counted by name', async t => {
  const names = ['web-1', 'web-2', 'web-2', 'web-3', 'web-4']
  const { account, seen } = await fakeDatadog(
    t,
    (response, { url }) => {
      const query = new URL(url, 'http://x').searchParams
      const start = Number(query.get('start'))
      json(response, {
        host_list: names
          .slice(start, start + Number(query.get('count')))
          .map(name => ({ name, up: true })),
        total_returned: 2
      })
    },
    { pageSize: 2 }
  )
  const { rows, truncated } = await account.hosts({ filter: 'web', limit: 50 })
  assert.deepEqual(
    [rows.map(row => row.name), truncated],
    [['web-1', 'web-2', 'web-3', 'web-4'], false]
  )
  assert.equal(seen.length, 3)
})
