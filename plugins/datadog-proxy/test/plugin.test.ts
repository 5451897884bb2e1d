import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Token } from '../../../core/index.ts'
import { DatadogToken, SimulatedAccountsToken, type DatadogService, type SimulatedAccounts } from '../contract.ts'
import plugin from '../plugin.ts'
import { keys, quiet } from './loopback.ts'

const blank = { api_key: '', app_key: '', site: 'datadoghq.com', name: 'default', org_id: '' }

/** Registers the plugin on its own and returns what it provided. */
function register(config: typeof blank): { datadog: DatadogService; simulated: SimulatedAccounts; checks: string[] } {
  const provided = new Map<string, unknown>()
  const checks: string[] = []
  const app = { config, log: quiet, provide: (token: Token<unknown>, service: unknown) => provided.set(token.id, service), check: (name: string) => checks.push(name) }
  void plugin.register(app as never, {} as never)
  return { datadog: provided.get(DatadogToken.id) as DatadogService, simulated: provided.get(SimulatedAccountsToken.id) as SimulatedAccounts, checks }
}

test('without keys the plugin starts and says what to set', async () => {
  const { datadog, checks } = register(blank)
  assert.deepEqual([await datadog.list(), checks], [[], ['datadog']])
  await assert.rejects(datadog.account(), /no Datadog account is configured: set DD_API_KEY and DD_APP_KEY/)
  await assert.rejects(register({ ...blank, api_key: 'k' }).datadog.account(), /set DD_APP_KEY \(and/)
})

test('the configured account is the default, with a pasted address for its site', async () => {
  const { datadog, simulated } = register({ ...blank, api_key: 'k', app_key: 'p', site: 'https://api.ddog-gov.com/', org_id: '42' })
  simulated.add({ name: 'demo', baseUrl: 'http://127.0.0.1:1', appUrl: 'http://127.0.0.1:2', ...keys })
  const account = await datadog.account()
  assert.deepEqual([account.name, account.site, account.simulated, account.appUrl], ['default', 'ddog-gov.com', false, 'https://app.ddog-gov.com'])
  assert.equal((await datadog.accountOfOrg('42'))?.name, 'default')
  assert.equal((await datadog.account('demo')).simulated, true)
  assert.throws(() => simulated.add({ name: 'far', baseUrl: 'http://evil.example', appUrl: '', ...keys }), /not on this machine/)
})

test('a site that is not on the list stops the start', () => {
  assert.throws(() => register({ ...blank, api_key: 'k', app_key: 'p', site: 'evil.example' }), /is not a Datadog site/)
})

test('the variables the official client would read by itself are gone after the start', () => {
  Object.assign(process.env, { DD_SITE: 'x', DD_API_KEY: 'x', DD_APP_KEY: 'x' })
  register(blank)
  assert.deepEqual([process.env['DD_SITE'], process.env['DD_API_KEY'], process.env['DD_APP_KEY']], [undefined, undefined, undefined])
})
