import type { createTestApp } from '../../../core/testing.ts'
import { DatadogToken, type DatadogService } from '../contract.ts'

/** An account as the wire shows it. */
export interface Account {
  id: number
  name: string
  org_id: number | null
  org_name: string | null
  site: string
  base_url: string
  is_default: boolean
  active: boolean
  created_at: string
  updated_at: string
  simulated: boolean
}
export interface Listed {
  accounts: Account[]
  count: number
  total_count: number
  next_cursor: string | null
}
export interface Problem {
  error: string
  type: string
  status: number
  errors?: { pointer: string }[]
}
export type App = Awaited<ReturnType<typeof createTestApp>>
export type Call = App['call']

/** Keys that no Datadog knows. */
export const keys = { api_key: 'api-key-of-a-test', app_key: 'app-key-of-a-test' }
export const call = async <T>(
  app: { call: Call },
  method: string,
  path: string,
  body?: unknown
): Promise<{ status: number; body: T }> =>
  (await app.call(method, path, body)) as { status: number; body: T }
/** The status and the sentence of an answer that refuses. */
export const problem = async (
  app: { call: Call },
  method: string,
  path: string,
  body?: unknown
): Promise<[number, string]> => {
  const answer = await call<Problem>(app, method, path, body)
  return [answer.status, answer.body.error]
}
export const serviceOf = (app: App): DatadogService =>
  app.services.resolve({ datadog: DatadogToken })['datadog'] as DatadogService
