import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DatadogError } from '../contract.ts'
import { clientOf, fails, faultySite, monitorId, questions } from './fault-site.ts'

const start = Date.parse('2026-01-02T03:00:00Z')
const draft = { name: 'rca', cells: [], window: { live: '1h' } } as const

const bodies: Record<string, [object, RegExp]> = {
  JSON: [{}, /Rate limit of 100 requests/],
  empty: [{ body: 'empty' }, /empty body/],
  HTML: [{ body: 'html' }, /HTML page titled "429 Too Many Requests"/]
}
/** What is sent, the first wait in ms, and the seconds a caller is told to wait. */
const resets: Record<string, { then: object; wait: number; told: number | undefined }> = {
  'Reset 0': { then: { reset: 0 }, wait: 250, told: undefined },
  'Reset 2': { then: { reset: 2 }, wait: 2000, told: 2 },
  'Reset 3494': { then: { reset: 3494 }, wait: 250, told: 3494 },
  "Reset 'soon'": { then: { reset: 'soon' }, wait: 250, told: undefined },
  'Reset as an epoch': { then: { reset: 'epoch' }, wait: 2000, told: 2 },
  'no Reset': { then: { reset: null }, wait: 250, told: undefined },
  'Retry-After only': { then: { retry_after: 3 }, wait: 3000, told: 3 }
}

for (const [reset, { then, wait, told }] of Object.entries(resets)) {
  for (const [kind, [body, says]] of Object.entries(bodies)) {
    test(
      'Rayne must wait sensibly and come back with the rows, or say rate_limited: 429 ' +
        `with ${reset} and a body that is ${kind}`,
      async t => {
        t.mock.timers.enable({ apis: ['Date'], now: start })
        const waits: number[] = []
        const retry = {
          sleep: async (ms: number) => {
            waits.push(ms)
            t.mock.timers.tick(ms)
          },
          random: () => 0
        }
        const once = await faultySite(t, [{ then: { type: '429', ...then, ...body }, times: 1 }], {
          retry
        })
        assert.ok((await questions.logs(once)).rows.length > 0)
        assert.deepEqual([once.asked(), waits], [2, [wait]])
        const always = await faultySite(t, [{ then: { type: '429', ...then, ...body } }], { retry })
        await assert.rejects(
          questions.logs(always),
          (error: unknown) =>
            fails('rate_limited', says)(error) &&
            assert.equal((error as DatadogError).details.retryAfterSeconds, told) === undefined
        )
        assert.equal(always.asked(), 3)
        assert.ok(
          waits.every(ms => ms <= 20_000),
          String(waits)
        )
      }
    )
  }
}

test('Rayne must not send a write again after a 429', async t => {
  const site = await faultySite(t, [{ then: { type: '429' } }])
  await assert.rejects(site.account.createNotebook(draft), fails('rate_limited'))
  assert.equal(site.asked(), 1)
})

test('Rayne must give up at once when the wait that is asked for does not fit in the deadline', async t => {
  const site = await faultySite(t, [{ then: { type: '429', retry_after: 15 } }])
  await assert.rejects(site.account.monitor(monitorId, { timeoutMs: 2000 }), fails('rate_limited'))
  assert.deepEqual([site.asked(), site.waits], [1, []])
})

const outages: Record<string, [object, RegExp]> = {
  'the recorded 502 in JSON': [{ type: '5xx' }, /answered 502: Bad Gateway/],
  'a 503 in HTML': [
    { type: '5xx', body: 'html' },
    /answered 503: an HTML page titled "503 Service Temporarily Unavailable"/
  ]
}
for (const [name, [then, says]] of Object.entries(outages)) {
  test(`Rayne must repeat a read after ${name} and give up after three attempts`, async t => {
    const passing = await faultySite(t, [{ then, times: 2 }])
    assert.ok((await questions.events(passing)).rows.length > 0)
    assert.deepEqual([passing.asked(), passing.waits], [3, [250, 500]])
    for (const [question, ask] of Object.entries(questions)) {
      const lasting = await faultySite(t, [{ then }])
      await assert.rejects(ask(lasting), fails('unavailable', says), question)
      assert.equal(lasting.asked(), 3, question)
    }
  })

  test(`Rayne must send a write once and find what was made in spite of ${name}`, async t => {
    const site = await faultySite(t, [
      { match: { method: 'POST' }, then: { ...then, applied: true } }
    ])
    await assert.rejects(site.account.createNotebook(draft), fails('unavailable', says))
    assert.equal(site.asked(), 1)
    assert.equal((await site.account.findNotebook('rca'))?.name, 'rca')
  })
}

test('Rayne must leave a Datadog alone that fails eight times in a row, and say when it is tried again', async t => {
  const site = await faultySite(t, [{ then: { type: '5xx' } }])
  for (let n = 0; n < 5; n++) await assert.rejects(questions.hosts(site), fails('unavailable'))
  assert.equal(site.asked(), 8)
  await assert.rejects(
    questions.hosts(site),
    fails('unavailable', /failed 8 times in a row and is tried again at .*Bad Gateway/)
  )
})

test(
  'Rayne must say forbidden, and which permission it needs, when the key is revoked ' +
    'in the middle of a run',
  async t => {
    const needed: Record<keyof typeof questions, RegExp> = {
      monitor: /monitors_read/,
      metric: /timeseries_query/,
      events: /events_read/,
      logs: /logs_read_data/,
      hosts: /hosts_read/,
      spans: /apm_read/,
      monitors: /monitors_read/
    }
    for (const [question, ask] of Object.entries(questions)) {
      const site = await faultySite(t, [
        { match: { account: 'us1', after: 1 }, then: { type: 'auth' } }
      ])
      assert.ok((await ask(site)).rows.length > 0, question)
      await assert.rejects(
        ask(site),
        fails('forbidden', needed[question as keyof typeof questions]),
        question
      )
      assert.equal(site.asked(), 2, question)
    }
  }
)

test('Rayne must not give the first pages for the whole when the key is revoked between two pages', async t => {
  const site = await faultySite(t, [{ match: { after: 1 }, then: { type: 'auth' } }], {
    pageSize: 5
  })
  await assert.rejects(questions.logs(site), fails('forbidden', /logs_read_data/))
  assert.equal(site.asked(), 2)
})

test('Rayne must not suspect the other account when the keys of one are revoked', async t => {
  const site = await faultySite(t, [{ match: { account: 'eu' }, then: { type: 'auth' } }])
  assert.ok((await questions.hosts(site)).rows.length > 0)
  const checks = await (await clientOf(site.simulator)).checkKeys()
  assert.ok(
    checks.every(check => check.ok),
    JSON.stringify(checks)
  )
})
