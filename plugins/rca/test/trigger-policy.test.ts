import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import webhooks from '../../webhooks/plugin.ts'
import rca from '../plugin.ts'
import { readPolicy, whyNotAnalysed } from '../service/trigger-policy.ts'
import { alertOf } from './alert.ts'
import { fakeDatadog } from './fake-datadog.ts'

const all = {
  analyse_statuses: 'alert,warn',
  analyse_priorities: '',
  analyse_tags: '',
  analyse_accounts: '',
  analyse_days: '',
  analyse_hours: ''
}
// A Monday.
const at = (clock: string): number => Date.parse(`2026-11-30T${clock}:00Z`)

test('each rule of the policy says by its setting why an alert is not analysed', () => {
  const alert = alertOf({ status: 'warn', priority: 'P3', tags: ['team:a'] })
  const why = (settings: Partial<typeof all>, clock = '12:00'): string =>
    whyNotAnalysed(readPolicy({ ...all, ...settings }), 'main', alert, at(clock)) ?? 'analysed'
  for (const [settings, said] of [
    [{}, /^analysed$/],
    [{ analyse_statuses: 'alert' }, /its status is warn \(RAYNE_RCA_ANALYSE_STATUSES\)/],
    [{ analyse_priorities: 'p1, p3' }, /^analysed$/],
    [{ analyse_priorities: 'P1' }, /its priority is P3/],
    [{ analyse_tags: 'team:a,team:b' }, /^analysed$/],
    [{ analyse_tags: 'team:b' }, /none of the tags team:b/],
    [{ analyse_accounts: 'other' }, /it is of main/],
    [{ analyse_days: 'Mon' }, /^analysed$/],
    [{ analyse_days: 'sat,sun' }, /no such day/],
    [{ analyse_hours: '08:00-18:00' }, /^analysed$/],
    [{ analyse_hours: '12:01-18:00' }, /no such hour/],
    [{ analyse_hours: '20:00-12:00' }, /no such hour/]
  ] as const)
    assert.match(why(settings), said, JSON.stringify(settings))
  assert.equal(why({ analyse_hours: '22:00-06:00' }, '23:30'), 'analysed')
  assert.equal(why({ analyse_hours: '22:00-06:00' }, '05:59'), 'analysed')
})

test('what the policy leaves out is kept as skipped, with the reason', async t => {
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    fakes: [[DatadogToken, fakeDatadog().service]],
    env: { RAYNE_WEBHOOKS_SETTLE_SECONDS: '0', RAYNE_RCA_ANALYSE_TAGS: 'env:prod' }
  })
  const post = async (facts: object) => {
    const body = { alert_status: 'Alert', ...facts }
    const sent = await app.call<{ event_id: number }>('POST', '/v1/webhooks/receive', body)
    await app.drain()
    const path = `/v1/webhooks/events/${sent.body.event_id}`
    return (await app.call<{ status: string; error?: string }>('GET', path)).body
  }
  assert.equal((await post({ monitor_id: 1, tags: 'env:prod' })).status, 'processed')
  const { status, error } = await post({ monitor_id: 2, tags: 'env:dev' })
  assert.deepEqual([status, /RAYNE_RCA_ANALYSE_TAGS/.test(error ?? '')], ['skipped', true])
})
