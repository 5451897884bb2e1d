import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { DatadogOptions } from '../service/datadog.ts'
import { fails, faultySite, monitorId, questions, type Site } from './fault-site.ts'
import { fakeDatadog, json } from './loopback.ts'

const start = Date.parse('2026-03-11T03:00:00Z')
const huge = '9223372036854775807'
const paged = ['logs', 'events', 'spans'] as const
const listed = ['logs', 'events', 'spans', 'hosts', 'monitors', 'metric'] as const
const idsOf = (rows: readonly object[]): unknown[] => rows.map(row => (row as { id?: string }).id)

/** The same question to a sound Datadog and to one with the fault, at one instant. */
async function both(
  t: TestContext,
  question: keyof typeof questions,
  then: object,
  options: Partial<DatadogOptions> = {}
) {
  const sound = await faultySite(t, [], options)
  const bent = await faultySite(t, [{ then }], options)
  return {
    sound: await questions[question](sound),
    bent: await questions[question](bent),
    asked: bent.asked()
  }
}
const frozen = (t: TestContext): void => t.mock.timers.enable({ apis: ['Date'], now: start })

test('Rayne must keep a word it does not know instead of losing the row', async t => {
  frozen(t)
  for (const question of listed) {
    const { sound, bent } = await both(t, question, { type: 'schema', body: 'unknown_enum' })
    assert.deepEqual([bent.rows.length, bent.warnings], [sound.rows.length, []], question)
  }
  const { bent } = await both(t, 'monitors', { type: 'schema', body: 'unknown_enum' })
  assert.equal((bent.rows[0] as { state: string }).state, 'quantum')
})

test('Rayne must leave out a row without what it needs, and say so', async t => {
  frozen(t)
  for (const question of [...paged, 'monitors'] as const) {
    const { sound, bent } = await both(t, question, { type: 'schema', body: 'missing_required' })
    assert.deepEqual(
      idsOf(bent.rows).slice(0, sound.rows.length - 1),
      idsOf(sound.rows).slice(1),
      question
    )
    assert.match(bent.warnings.join(), /1 rows without the expected fields were left out/, question)
  }
})

test('Rayne must not mind a field it does not know', async t => {
  frozen(t)
  for (const question of listed) {
    const { sound, bent } = await both(t, question, { type: 'schema', body: 'extra_field' })
    assert.deepEqual(bent.rows, sound.rows, question)
  }
})

test('Rayne must keep an id of 64 bits to its last digit', async t => {
  frozen(t)
  for (const question of [...paged, 'monitors'] as const) {
    const { bent } = await both(t, question, { type: 'schema', body: 'int64_id' })
    assert.ok(JSON.stringify(bent.rows).includes(`"${huge}"`), question)
    assert.doesNotMatch(JSON.stringify(bent.rows), /922337203685477[0-9]{4}(?!")\b/, question)
  }
})

test('Rayne must end at a cursor that is null', async t => {
  frozen(t)
  for (const question of paged) {
    const { sound, bent, asked } = await both(
      t,
      question,
      { type: 'schema', body: 'after_null' },
      { pageSize: 5 }
    )
    assert.equal(asked, 1, question)
    assert.deepEqual(idsOf(bent.rows), idsOf(sound.rows).slice(0, 5), question)
  }
})

test('Rayne must stop at a cursor that repeats, and say so', async t => {
  frozen(t)
  for (const question of paged) {
    const { sound, bent, asked } = await both(
      t,
      question,
      { type: 'schema', body: 'repeated_cursor' },
      { pageSize: 5 }
    )
    assert.equal(asked, 2, question)
    assert.deepEqual(idsOf(bent.rows), idsOf(sound.rows).slice(0, 5), question)
    assert.match(bent.warnings.join(), /repeated its page cursor/, question)
  }
})

test('Rayne must not take a short page with a cursor for the end without saying so', async t => {
  frozen(t)
  for (const question of paged) {
    const { sound, bent } = await both(
      t,
      question,
      { type: 'schema', body: 'short_page' },
      { pageSize: 8 }
    )
    assert.ok(bent.rows.length > 0 && bent.rows.length < sound.rows.length, question)
    assert.match(bent.warnings.join(), /gave 4 of 8 rows asked for and still a cursor/, question)
  }
})

test('Rayne must count a row once that comes on two pages', async t => {
  frozen(t)
  for (const question of paged) {
    const { sound, bent, asked } = await both(
      t,
      question,
      { type: 'schema', body: 'duplicate_item' },
      { pageSize: 5 }
    )
    assert.equal(new Set(idsOf(bent.rows)).size, bent.rows.length, question)
    assert.deepEqual(bent.rows, sound.rows, question)
    assert.ok(asked <= 6, `${question} asked ${asked} times`)
  }
})

test('Rayne must say that an answer is partial when Datadog ran out of time', async t => {
  frozen(t)
  for (const question of paged) {
    const { sound, bent } = await both(t, question, { type: 'partial' })
    assert.ok(bent.rows.length > 0 && bent.rows.length < sound.rows.length, question)
    assert.match(
      bent.warnings.join(),
      /ran out of time and answered in part.*indexes are missing or invalid/,
      question
    )
  }
})

test('Rayne must say that nothing found is not nothing there when Datadog ran out of time', async t => {
  const { account } = await fakeDatadog(t, response =>
    json(response, { data: [], meta: { status: 'timeout' } })
  )
  const window = { from: start - 60_000, to: start } as Site['window']
  for (const asked of [
    account.events({ query: 'x', window, limit: 5 }),
    account.spans({ query: 'x', window, limit: 5 }),
    account.logs({ query: 'x', window, limit: 5 })
  ]) {
    await assert.rejects(asked, {
      failure: 'timeout',
      message: /ran out of time and answered without a row/
    })
  }
})

test(
  'Rayne must not call a notebook lost that it was told was made, and must find it ' +
    'when Datadog has caught up',
  async t => {
    frozen(t)
    const { account } = await faultySite(t, [{ then: { type: 'consistency', ms: 4000 } }])
    const made = await account.createNotebook({ name: 'rca', cells: [], window: { live: '1h' } })
    assert.match(made.id, /^\d+$/)
    await assert.rejects(account.notebook(made.id), fails('not_found'))
    assert.equal(await account.findNotebook('rca'), undefined)
    t.mock.timers.tick(4001)
    assert.deepEqual(await account.findNotebook('rca'), made)
    assert.equal((await account.notebook(made.id)).name, 'rca')
  }
)

test('Rayne must not overwrite a webhook that it does not see yet', async t => {
  frozen(t)
  const { account, simulator } = await faultySite(t, [{ then: { type: 'consistency', ms: 4000 } }])
  const webhook = { name: 'rayne', url: 'https://rayne.example/hook' }
  await account.createWebhook(webhook)
  await assert.rejects(
    account.createWebhook({ ...webhook, url: 'https://other.example/hook' }),
    /exist|rayne/
  )
  t.mock.timers.tick(4001)
  assert.equal((await account.webhook('rayne'))?.url, webhook.url)
  assert.ok(simulator.journal().length <= 6)
})

test("Rayne must find the same in a window of the past when Datadog's clock is 90 s ahead", async t => {
  frozen(t)
  for (const question of ['logs', 'events', 'spans', 'metric'] as const) {
    const { sound, bent } = await both(t, question, { type: 'skew' })
    assert.deepEqual(bent, sound, question)
  }
})

test('Rayne must take a host for alive that has reported in our future', async t => {
  frozen(t)
  const { sound, bent } = await both(t, 'hosts', { type: 'skew' })
  const hosts = bent.rows as { name: string; up?: boolean; lastReported?: number }[]
  assert.ok(hosts.some(host => (host.lastReported ?? 0) * 1000 > start))
  assert.deepEqual(
    hosts.map(host => [host.name, host.up]),
    (sound.rows as typeof hosts).map(host => [host.name, host.up])
  )
})

test('Rayne must not sleep away the 90 s by which the epoch in a Reset is ahead', async t => {
  for (const ahead of [90, -90]) {
    const { account, seen, waits } = await fakeDatadog(t, (response, _seen, nth) =>
      nth === 1
        ? json(response, { errors: ['slow down'] }, 429, {
            'x-ratelimit-limit': '100',
            'x-ratelimit-period': '10',
            'x-ratelimit-remaining': '0',
            'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 2 + ahead)
          })
        : json(response, { id: Number(monitorId), query: 'q' })
    )
    assert.equal((await account.monitor(monitorId)).id, monitorId)
    assert.deepEqual([seen.length, waits], [2, [250]])
  }
})
