import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulatedTools } from './simulated-tools.ts'

interface Decided {
  readonly approval: string | null
  readonly wish: {
    readonly decision: string
    readonly tool: string
    readonly outcome: string | null
  }
}

test('tools that change Datadog', async t => {
  const { app, simulator, ask, window } = await simulatedTools(t)
  const decide = async (id: unknown, decision = 'approved') =>
    app.call<Decided>('POST', `/v1/rca/approvals/${String(id)}`, { decision })
  const writes = () =>
    simulator.journal().filter(one => one.method !== 'GET' && !/search|aggregate/.test(one.path))
  const { rows: hosts } = await ask('get_host_info', { filter: 'a', limit: 1 })
  const host = String(hosts[0]?.['name'])
  const { rows: monitors } = await ask('get_triggered_monitors', {})
  const mute = {
    scope: 'env:staging',
    monitor_id: monitors[0]?.['id'],
    minutes: 30,
    message: 'load test'
  }
  const wanted: Record<string, object> = {
    schedule_downtime: mute,
    mute_host: { host, minutes: 5, message: 'drained' },
    create_notebook: { name: 'n', cells: [{ type: 'markdown', text: '# a' }], ...window }
  }

  await t.test('change nothing in a dry run, with no approval, and with a wrong one', async () => {
    for (const [tool, input] of Object.entries(wanted)) {
      const { rows, note } = await ask(tool, input)
      assert.equal(rows[0]?.['done'], false)
      assert.match(note ?? '', /nothing was changed: an admin approves/)
      for (const approval of [undefined, 'x', `${String(rows[0]?.['approval_id'])}.x`])
        await assert.rejects(
          ask(tool, { ...input, dry_run: false, ...(approval === undefined ? {} : { approval }) }),
          { code: 'approval-refused' }
        )
    }
    assert.deepEqual(writes(), [])
  })

  await t.test('change it once with the approval of a person, for exactly that', async () => {
    for (const [tool, input] of Object.entries(wanted)) {
      const [row = {}] = (await ask(tool, input)).rows
      const { approval } = (await decide(row['approval_id'])).body
      const go = { ...input, dry_run: false, approval }
      const other = tool === 'create_notebook' ? { name: 'other' } : { minutes: 600 }
      await assert.rejects(ask(tool, { ...go, ...other }), { code: 'approval-refused' })
      const before = writes().length
      const made = await ask(tool, go)
      assert.equal(made.rows[0]?.['done'], true)
      assert.match(made.link ?? '', /^http/)
      assert.equal(writes().length, before + 1)
      await assert.rejects(ask(tool, go), { code: 'approval-refused' })
    }
    const { rows } = await ask('list_downtimes', { current_only: false })
    const own = rows.find(row => row['scope'] === 'env:staging')
    const left = Date.parse(String(own?.['to'])) - Date.now()
    assert.ok(left > 25 * 60_000 && left <= 30 * 60_000, 'a downtime ends by itself')
    const [hostNow] = (await ask('get_host_info', { filter: host, limit: 1 })).rows
    assert.equal(hostNow?.['muted'], true)
    const ended = await ask('cancel_downtime', { downtime_id: own?.['id'] })
    const { approval } = (await decide(ended.rows[0]?.['approval_id'])).body
    await ask('cancel_downtime', { downtime_id: own?.['id'], dry_run: false, approval })
    const after = (await ask('list_downtimes', { current_only: false })).rows
    assert.ok(!after.some(row => row['id'] === own?.['id'] && row['status'] === 'active'))
  })

  await t.test('are refused what is wrong, wide or rejected, and all is written down', async () => {
    await assert.rejects(ask('schedule_downtime', { ...mute, scope: '*:*' }), /scope/)
    await assert.rejects(ask('schedule_downtime', { ...mute, monitor_tags: ['a:b'] }), /not both/)
    await assert.rejects(ask('mute_host', { host: 'nobody', message: 'x' }), /is no host/)
    await assert.rejects(
      ask('cancel_downtime', { downtime_id: '0190f2f5-6d3c-7c52-9d2b-6a2b0e0d4c11' }),
      /is no downtime/
    )
    const [row = {}] = (await ask('schedule_downtime', { ...mute, minutes: 7 })).rows
    const again = (await ask('schedule_downtime', { ...mute, minutes: 7 })).rows[0]
    assert.equal(again?.['approval_id'], row['approval_id'])
    assert.equal((await decide(row['approval_id'], 'rejected')).body.approval, null)
    assert.equal((await decide(row['approval_id'])).status, 409)
    const { body } = await app.call<{ approvals: Decided['wish'][] }>('GET', '/v1/rca/approvals')
    const told = body.approvals.map(({ tool, decision, outcome }) => [
      tool,
      decision,
      outcome?.slice(0, 4)
    ])
    assert.deepEqual(told[0], ['schedule_downtime', 'rejected', undefined])
    assert.equal(told.filter(([, , outcome]) => outcome === 'done').length, 4)
    for (let minutes = 100; minutes < 120; minutes++)
      await ask('schedule_downtime', { ...mute, minutes }).catch(() => undefined)
    await assert.rejects(ask('schedule_downtime', { ...mute, minutes: 300 }), {
      code: 'too-many-wishes'
    })
  })
})
