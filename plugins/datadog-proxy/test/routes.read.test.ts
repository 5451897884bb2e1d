import assert from 'node:assert/strict'
import { test } from 'node:test'
import { incident, simulatedApp } from './proxy-app.ts'

test('the routes that read hosts and events, on the simulator', async t => {
  const { get, simulator } = await simulatedApp(t)
  await t.test(
    'hosts come with all Datadog fields, by page, and know how many there are',
    async () => {
      const [first] = simulator.accounts
      const all = (await get('/v1/hosts?per_page=1000')).body
      assert.ok(all.hosts.length > 5)
      assert.deepEqual(
        [all.total_count, all.truncated, all.simulated, all.accounts, all.failures],
        [all.hosts.length, false, true, [first?.name], []]
      )
      assert.ok(
        ['host_name', 'tags_by_source', 'metrics', 'last_reported_time', 'apps'].every(
          field => field in all.hosts[0]
        )
      )
      const second = (await get('/v1/hosts?page=2&per_page=2')).body
      assert.deepEqual(
        second.hosts.map((host: { name: string }) => host.name),
        all.hosts.slice(2, 4).map((host: { name: string }) => host.name)
      )
      assert.deepEqual(
        [second.page, second.per_page, second.truncated, second.total_count],
        [2, 2, true, all.total_count]
      )
      const [name] = all.hosts.map((host: { name: string }) => host.name)
      assert.ok((await get(`/v1/hosts?filter=${name}`)).body.hosts.length < all.hosts.length)
    }
  )

  await t.test(
    'host totals are an object and tags are there for one host and for all',
    async () => {
      const totals = (await get('/v1/hosts/active')).body
      assert.deepEqual(
        [Number.isInteger(totals.active), Number.isInteger(totals.up), totals.by_account.length],
        [true, true, 1]
      )
      const tags = (await get('/v1/hosts/tags')).body as Record<string, string[]>
      const [host = '', expected = []] = Object.entries(tags)[0] ?? []
      assert.equal(Object.keys(tags).length, totals.active)
      assert.deepEqual(
        [
          totals.from,
          (await get('/v1/hosts/active?from=2026-03-11T02:00')).body.from,
          (await get('/v1/hosts?from=1773194400')).body.asked.from
        ],
        [null, '2026-03-11T02:00:00.000Z', '2026-03-11T02:00:00.000Z']
      )
      assert.deepEqual(
        (await get(`/v1/hosts/${encodeURIComponent(host)}/tags`)).body.tags.toSorted(),
        expected.toSorted()
      )
    }
  )

  await t.test('* asks every account and labels every row', async () => {
    const names = simulator.accounts.map(account => account.name)
    const { body } = await get('/v1/hosts?account=*&per_page=1000')
    assert.deepEqual(
      [...new Set(body.hosts.map((host: { account: string }) => host.account))],
      names
    )
    assert.deepEqual([body.accounts, body.total_count], [names, body.hosts.length])
    for (const name of names) {
      const own = (await get(`/v1/hosts?account=${name}&per_page=1000`)).body.hosts
      assert.deepEqual(
        own,
        body.hosts.filter((host: { account: string }) => host.account === name)
      )
    }
    const totals = (await get('/v1/hosts/active?account=*')).body
    assert.deepEqual(
      [totals.active, totals.by_account.map((one: { account: string }) => one.account)],
      [body.hosts.length, names]
    )
    const tagged = (await get('/v1/hosts/tags?account=*')).body
    assert.deepEqual([tagged.total_count, tagged.accounts], [tagged.hosts.length, names])
  })

  await t.test(
    'events come newest first with an absolute window, and are read on by cursor',
    async () => {
      const all = (await get(`/v1/events?${incident}&per_page=1000`)).body
      assert.ok(all.events.length > 3)
      assert.deepEqual(
        [all.asked.from, all.asked.to, all.truncated, all.total_count],
        ['2026-03-11T02:00:00.000Z', '2026-03-11T03:00:00.000Z', false, all.events.length]
      )
      assert.ok('attributes' in all.events[0])
      const ids = (answer: { events: { id: string }[] }): string[] =>
        answer.events.map(event => event.id)
      const second = (await get(`/v1/events?${incident}&page=2&per_page=2`)).body
      assert.deepEqual(ids(second), ids(all).slice(2, 4))
      const deep = (await get(`/v1/events?per_page=2&cursor=${second.next_cursor}`)).body
      assert.deepEqual(ids(deep), ids(all).slice(4, 6))
      assert.deepEqual([deep.asked.from, deep.asked.to], [all.asked.from, all.asked.to])
    }
  )

  await t.test('relative times are resolved here and answered as absolute ones', async () => {
    const before = Date.now()
    const { asked } = (await get('/v1/events?from=now-30m&to=now')).body
    assert.ok(Math.abs(Date.parse(asked.to) - before) < 5000)
    assert.equal(Date.parse(asked.to) - Date.parse(asked.from), 30 * 60_000)
  })
})

test('the routes that read monitors, logs and the catalog, on the simulator', async t => {
  const { ask, get, simulator } = await simulatedApp(t)
  await t.test(
    'monitors are paged from 0, counted, listed by id, read one by one and found when triggered',
    async () => {
      const { body } = await get('/v1/monitors')
      assert.deepEqual(
        [body.page, body.per_page, body.page_count, body.total_count],
        [0, 30, 1, body.monitors.length]
      )
      const next = (await get('/v1/monitors?page=1&per_page=2')).body
      assert.deepEqual(
        [next.monitors[0].id, next.page_count],
        [body.monitors[2].id, Math.ceil(body.total_count / 2)]
      )
      const ids = (await get('/v1/monitors/ids?per_page=3')).body
      assert.deepEqual(
        [ids.count, Object.keys(ids.monitors[0]).toSorted(), ids.truncated],
        [3, ['account', 'id', 'name', 'status'], true]
      )
      assert.equal((await get('/v1/monitors/pages')).body.total_count, body.total_count)
      const one = await get(`/v1/monitors/${body.monitors[0].id}`)
      assert.deepEqual(
        [one.body.name, one.body.status, one.body.simulated],
        [body.monitors[0].name, one.body.overall_state, true]
      )
      const triggered = (await get('/v1/monitors/triggered')).body
      assert.ok(triggered.count > 0)
      assert.ok(
        triggered.monitors.every(
          (monitor: { status: string; overall_state: string }) =>
            ['Alert', 'Warn'].includes(monitor.status) && monitor.overall_state === monitor.status
        )
      )
    }
  )

  await t.test(
    'a missing monitor is 404 with the words of Datadog, and an id that is not digits 400',
    async () => {
      const missing = await get('/v1/monitors/999999999999')
      assert.deepEqual([missing.status, missing.body.datadog_status], [404, 404])
      assert.match(missing.body.error, /Monitor not found/)
      assert.equal((await get('/v1/monitors/abc')).status, 400)
    }
  )

  await t.test('logs are searched oldest first, and page after page with one window', async () => {
    const window = { from: '2026-03-11T02:40:00Z', to: '2026-03-11T02:50:00Z' }
    const { status, body } = await ask('POST', '/v1/logs/search', {
      query: 'status:error',
      ...window,
      limit: 5
    })
    assert.deepEqual(
      [status, body.data.length, body.truncated, body.asked.tier],
      [200, 5, true, 'indexes']
    )
    const at = body.data.map(
      (row: { attributes: { timestamp: string } }) => row.attributes.timestamp
    )
    assert.deepEqual(at, at.toSorted())
    assert.deepEqual(body.data[0].tags, body.data[0].attributes.tags)
    const page = await ask('POST', '/v1/logs/search/advanced', {
      filter: { query: 'status:error', indexes: ['main'], ...window },
      page: { limit: 3 }
    })
    const rest = await ask('POST', '/v1/logs/search/advanced', {
      page: { limit: 2, cursor: page.body.meta.page.after }
    })
    assert.deepEqual(
      [...page.body.data, ...rest.body.data].map(row => row.id),
      body.data.map((row: { id: string }) => row.id)
    )
    assert.deepEqual(rest.body.asked.from, page.body.asked.from)
    const nothing = (
      await ask('POST', '/v1/logs/search', { query: '"no line has this"', ...window })
    ).body
    assert.deepEqual([nothing.data, nothing.asked.query], [[], '"no line has this"'])
  })

  await t.test('the service catalog is listed by page', async () => {
    const all = (await get('/v1/services?per_page=100')).body
    assert.ok(all.data.length > 2)
    assert.ok(
      all.data.every(
        (row: { attributes: { schema: object } }) => 'dd-service' in row.attributes.schema
      )
    )
    const second = (await get('/v1/services?page=2&per_page=2')).body
    assert.deepEqual(second.data[0].id, all.data[2].id)
  })

  await t.test(
    'an account that fails is named beside the rows of the others; when all fail it is an error',
    async () => {
      const [good, bad] = simulator.accounts.map(account => account.name)
      simulator.addFault({ match: { account: bad }, then: { type: 'auth' } })
      const { status, body } = await get('/v1/hosts?account=*')
      assert.equal(status, 200)
      assert.deepEqual([body.accounts, body.total_count, body.failures.length], [[good], null, 1])
      assert.deepEqual(
        [body.failures[0].account, body.failures[0].status, body.failures[0].code],
        [bad, 403, 'datadog-forbidden']
      )
      simulator.addFault({ match: { account: good }, then: { type: 'auth' } })
      const refused = await get('/v1/monitors?account=*')
      assert.deepEqual([refused.status, refused.body.failures.length], [403, 2])
      assert.match(refused.body.error, /not one of 2 accounts answered/)
    }
  )
})
