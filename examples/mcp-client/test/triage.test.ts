import assert from 'node:assert/strict'
import test from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import proxy from '../../../plugins/datadog-proxy/plugin.ts'
import demo from '../../../plugins/demo/plugin.ts'
import rca from '../../../plugins/rca/plugin.ts'
import webhooks from '../../../plugins/webhooks/plugin.ts'
import { createSimulator } from '../../../simulator/simulator.ts'
import { triage } from '../triage.ts'

test('a client that knows nothing but the tools finds the deploy that broke the checkout', async t => {
  const simulator = await createSimulator({ scenario: 's1' })
  t.after(() => simulator.close())
  const app = await createTestApp(t, {
    plugins: [demo, proxy, rca, webhooks],
    env: { RAYNE_DEMO_ACCOUNTS: JSON.stringify(simulator.accounts), RAYNE_DEMO_FIRE: 'false' }
  })
  const said: string[] = []
  const found = await triage(`${app.url}/mcp`, line => said.push(line))
  assert.deepEqual(
    [found.service, found.component],
    ['checkout-api', 'checkout-api'],
    said.join('\n')
  )
  assert.match(found.change ?? '', /checkout-api v2\.41\.0/)
  assert.match(found.newLine ?? '', /currency/)
  const late = Math.abs(Date.parse(found.onset) - simulator.t0)
  assert.ok(late < 10 * 60_000, `${found.onset}, not ${new Date(simulator.t0).toISOString()}`)
})
