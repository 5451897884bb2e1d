import {
  createSimulator,
  type SimAccount,
  type Simulator,
  type SimulatorOptions
} from '../simulator.ts'
import type { EventItem, LogItem, Page } from './wire.ts'

/** The onset every simulator test uses; now is 20 minutes later and stands still. */
export const T0 = Date.parse('2025-03-11T02:40:00Z')
export const NOW = T0 + 20 * 60_000
export const MINUTE = 60_000

/** A simulator with its control plane open. */
export interface Controlled extends Simulator {
  readonly controlUrl: string
}
/** A frozen simulator of S1 that closes with the test; webhooks that are stored reach the receivers of the test. */
export async function startSimulator(
  context: { after(hook: () => Promise<void>): unknown },
  options: Partial<SimulatorOptions> = {}
): Promise<Controlled> {
  const simulator = await createSimulator({
    scenario: 's1',
    t0: T0,
    now: () => NOW,
    storedWebhooksGo: 'to other programs of this machine',
    ...options
  })
  context.after(() => simulator.close())
  return Object.assign(simulator, { controlUrl: await simulator.openControl() })
}

export interface Answer<T = unknown> {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** As JSON; what a test expects of it is the test's to say. */
  readonly body: T
}
/** The first account, or the one with the name. */
export function accountOf(simulator: Simulator, name?: string): SimAccount {
  const found =
    name === undefined ? simulator.accounts[0] : simulator.accounts.find(a => a.name === name)
  if (!found) throw new Error(`no account ${name ?? ''}`)
  return found
}

/** One request with the keys of an account; `path` is below its base URL. */
export async function call<T = unknown>(
  account: SimAccount,
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal
): Promise<Answer<T>> {
  const headers = {
    'dd-api-key': account.apiKey,
    'dd-application-key': account.appKey,
    ...(body === undefined ? {} : { 'content-type': 'application/json' })
  }
  const response = await fetch(`${account.baseUrl}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {})
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: json(text) as T }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The path of a v1 metric query, times in ms. */
export const metricPath = (query: string, from: number, to: number): string =>
  `/api/v1/query?${new URLSearchParams({ from: String(from / 1000), to: String(to / 1000), query })}`

interface SearchItems {
  readonly 'logs/events': LogItem
  readonly events: EventItem
}
/** A page of a v2 search, times in ms. */
export const search = <K extends keyof SearchItems>(
  account: SimAccount,
  kind: K,
  query: string,
  from: number,
  to: number,
  page: object = { limit: 1000 },
  sort = 'timestamp'
): Promise<Answer<Page<SearchItems[K]>>> =>
  call(account, 'POST', `/api/v2/${kind}/search`, {
    filter: { query, from: new Date(from).toISOString(), to: new Date(to).toISOString() },
    page,
    sort
  })
