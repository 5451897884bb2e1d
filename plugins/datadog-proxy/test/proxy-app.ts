import type { TestContext } from 'node:test'
import { definePlugin } from '../../../core/index.ts'
import { createTestApp, type TestAppOptions } from '../../../core/testing.ts'
import { createSimulator, type Simulator } from '../../../simulator/simulator.ts'
import { SimulatedAccountsToken, type SimulatedAccount } from '../contract.ts'
import plugin from '../plugin.ts'

/** Onset of the simulated incident; the simulator's clock stands 20 minutes later. */
export const onset = Date.parse('2026-03-11T02:40:00Z')
export const simulatedNow = onset + 20 * 60_000
export const incident = 'from=2026-03-11T02:00:00Z&to=2026-03-11T03:00:00Z'

/** The whole product with this plugin and accounts on this machine. */
export async function proxyApp(
  t: TestContext,
  accounts: readonly SimulatedAccount[],
  options: TestAppOptions = {}
) {
  const registrar = definePlugin({
    id: 'registrar',
    version: '1.0.0',
    needs: { simulated: SimulatedAccountsToken },
    register(_app, { simulated }) {
      for (const account of accounts) simulated.add(account)
    }
  })
  const app = await createTestApp(t, { ...options, plugins: [plugin, registrar] })
  const ask = async (
    method: string,
    path: string,
    body?: unknown
  ): Promise<{ status: number; body: any; headers: Headers }> => app.call(method, path, body)
  return { ...app, ask, get: (path: string) => ask('GET', path) }
}

export const accountsOf = (simulator: Simulator): SimulatedAccount[] =>
  simulator.accounts.map(({ name, baseUrl, apiKey, appKey }) => ({
    name,
    baseUrl,
    appUrl: baseUrl,
    apiKey,
    appKey
  }))

/** The same on the real simulator with its two accounts. */
export async function simulatedApp(t: TestContext, options: TestAppOptions = {}) {
  const simulator = await createSimulator({ scenario: 's1', t0: onset, now: () => simulatedNow })
  t.after(() => simulator.close())
  return { simulator, ...(await proxyApp(t, accountsOf(simulator), options)) }
}
