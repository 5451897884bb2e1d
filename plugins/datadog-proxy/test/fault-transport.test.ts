import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../../../core/test/eventually.ts'
import { fails, faultySite, questions, taking } from './fault-site.ts'

const deadline = { timeoutMs: 1_000 }
// The site would hang for ever: any end shows the deadline, and a busy machine may be late with it.
const slack = 10_000
const draft = { name: 'rca', cells: [], window: { live: '1h' } } as const

test('Rayne must end a call at its deadline when no answer comes, whatever it asked', async t => {
  const each = Object.entries(questions).map(async ([question, ask]) => {
    const site = await faultySite(t, [{ then: { type: 'timeout' } }])
    const took = await taking(() =>
      assert.rejects(ask(site, deadline), fails('timeout', /within 1 s/), question)
    )
    assert.ok(took < deadline.timeoutMs + slack, `${question} took ${took} ms`)
    assert.equal(site.asked(), 1, question)
  })
  await Promise.all(each)
})

test('Rayne must end the wait for an answer when its caller is cancelled', async t => {
  const site = await faultySite(t, [{ then: { type: 'timeout' } }])
  const caller = new AbortController()
  const refused = assert.rejects(questions.logs(site, { signal: caller.signal }), {
    name: 'AbortError'
  })
  await eventually('the question', () => site.asked() === 1)
  caller.abort()
  await refused
  assert.equal(site.asked(), 1)
})

test('Rayne must not send a write again that hung, and must find what it made', async t => {
  const site = await faultySite(t, [
    { match: { method: 'POST' }, then: { type: 'timeout', applied: true } }
  ])
  await assert.rejects(site.account.createNotebook(draft, deadline), fails('timeout'))
  assert.equal(site.asked(), 1)
  assert.equal((await site.account.findNotebook('rca'))?.name, 'rca')
})

test('Rayne must keep to its deadline when an answer only drips in', async t => {
  const site = await faultySite(t, [{ then: { type: 'slow', drip: { bytes: 5, every_ms: 20 } } }])
  const took = await taking(() => assert.rejects(questions.logs(site, deadline), fails('timeout')))
  assert.ok(took < deadline.timeoutMs + slack, `took ${took} ms`)
  assert.equal(site.asked(), 1)
})

test('Rayne must spend one deadline on all pages and attempts, not one on each', async t => {
  const site = await faultySite(t, [{ then: { type: 'slow', ms: 400 } }], { pageSize: 5 })
  const took = await taking(() => assert.rejects(questions.logs(site, deadline), fails('timeout')))
  assert.ok(took < deadline.timeoutMs + slack, `took ${took} ms`)
  assert.ok(site.asked() <= 3, String(site.asked()))
})

test('Rayne must take an answer that drips in slowly but in time as it is', async t => {
  const site = await faultySite(t, [])
  const whole = await questions.monitor(site)
  site.simulator.addFault({ then: { type: 'slow', drip: { bytes: 100, every_ms: 5 } } })
  assert.deepEqual(await questions.monitor(site), whole)
})

test(
  'Rayne must repeat a read whose connection broke in the middle of the body, and ' +
    'never take the half for the whole',
  async t => {
    for (const [question, ask] of Object.entries(questions)) {
      const site = await faultySite(t, [{ then: { type: 'reset' }, times: 1 }])
      assert.ok((await ask(site)).rows.length > 0, question)
      assert.equal(site.asked(), 2, question)
      const lasting = await faultySite(t, [{ then: { type: 'reset' } }])
      await assert.rejects(ask(lasting), fails('unavailable', /could not be reached/), question)
      assert.equal(lasting.asked(), 3, question)
    }
  }
)

test('Rayne must not send a write again whose connection broke', async t => {
  const site = await faultySite(t, [{ match: { method: 'POST' }, then: { type: 'reset' } }])
  await assert.rejects(site.account.createNotebook(draft), fails('unavailable'))
  assert.equal(site.asked(), 1)
  assert.equal((await site.account.findNotebook('rca'))?.name, 'rca')
})

const malformed: Record<string, [string | undefined, RegExp]> = {
  'truncated JSON': [undefined, /breaks off/],
  'a login page with status 200': ['html', /text\/html.* instead of JSON/],
  'an empty 200': ['empty', /empty body/],
  null: ['null', /without|not a monitor/],
  'the wrong content type': ['content-type', /text\/plain instead of JSON/]
}
for (const [name, [body, says]] of Object.entries(malformed)) {
  test(`Rayne must call ${name} garbage and never an empty result`, async t => {
    for (const [question, ask] of Object.entries(questions)) {
      const site = await faultySite(t, [
        { then: { type: 'malformed', ...(body === undefined ? {} : { body }) } }
      ])
      await assert.rejects(ask(site), fails('garbage', says), question)
      assert.equal(site.asked(), 1, question)
    }
  })

  test(`Rayne must not give the first page for the whole when the second is ${name}`, async t => {
    const site = await faultySite(
      t,
      [{ match: { nth: 2 }, then: { type: 'malformed', ...(body === undefined ? {} : { body }) } }],
      { pageSize: 5 }
    )
    await assert.rejects(questions.logs(site), fails('garbage', says))
  })

  test(`Rayne must not send a write again whose answer is ${name}, and must find what it made`, async t => {
    const site = await faultySite(t, [
      {
        match: { method: 'POST' },
        then: { type: 'malformed', ...(body === undefined ? {} : { body }) }
      }
    ])
    await assert.rejects(site.account.createNotebook(draft), fails('garbage'))
    assert.equal(site.asked(), 1)
    assert.equal((await site.account.findNotebook('rca'))?.name, 'rca')
  })
}
