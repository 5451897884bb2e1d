import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { atEnd, createTestApp, type TestAppOptions } from '../../../core/testing.ts'
import { createSimulator, type SimAccount, type Simulator } from '../../../simulator/simulator.ts'
import proxy from '../plugin.ts'

type App = Awaited<ReturnType<typeof createTestApp>>

/**
 * Sends what is meant for Datadog's sites to the simulator's accounts of those sites; any other address but loopback
 * is an error that names it.
 */
export function redirectSites(t: TestContext, simulator: Simulator): { left: string[] } {
  const real = globalThis.fetch
  const left: string[] = []
  t.mock.method(globalThis, 'fetch', (input: Parameters<typeof fetch>[0], init?: RequestInit) => {
    const url = new URL(input instanceof Request ? input.url : String(input))
    if (/^(127\.0\.0\.1|localhost)$/.test(url.hostname)) return real(input, init)
    const account = simulator.accounts.find(one => url.origin === `https://api.${one.site}`)
    if (account) return real(`${account.baseUrl}${url.pathname}${url.search}`, init)
    left.push(url.origin)
    return Promise.reject(new Error(`a request would have left for ${url.origin}`))
  })
  return { left }
}

/** A folder for the key file of one test. */
export function homeOf(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-keys-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * The proxy plugin alone, with its key file in a folder of its own, and a simulator behind Datadog's real addresses.
 */
export async function startProxy(
  t: TestContext,
  options: TestAppOptions = {}
): Promise<{
  app: App
  simulator: Simulator
  sims: { us: SimAccount; eu: SimAccount }
  left: string[]
  home: string
}> {
  const simulator = await createSimulator({ scenario: 's1' })
  atEnd(t, () => simulator.close())
  const { left } = redirectSites(t, simulator)
  const home = options.env?.['RAYNE_HOME'] ?? homeOf(t)
  const app = await createTestApp(t, {
    plugins: [proxy],
    ...options,
    env: { RAYNE_HOME: home, ...options.env }
  })
  const bySite = (site: string): SimAccount =>
    simulator.accounts.find(account => account.site === site)!
  return {
    app,
    simulator,
    sims: { us: bySite('datadoghq.com'), eu: bySite('datadoghq.eu') },
    left,
    home
  }
}

/** The body that stores a simulator's account under its site. */
export const bodyOf = (account: SimAccount, more: object = {}): object => ({
  name: account.name,
  api_key: account.apiKey,
  app_key: account.appKey,
  org_id: account.orgId,
  site: account.site,
  ...more
})
