import { definePlugin, type PluginApp } from '../../../core/index.ts'
import { AlertReceived } from '../contract.ts'
import type { Delivery } from './templates.ts'

export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>
) => Promise<{ status: number; body: never; headers: Headers }>

/** Remembers the ids of the events that subscribers are told of. */
export const listener = (told: number[]) =>
  definePlugin({
    id: 'listener',
    version: '1.0.0',
    register(app: PluginApp<unknown>) {
      app.on(AlertReceived, async ({ event_id }) => {
        told.push(event_id)
      })
    }
  })

/** Posts one webhook as a sender does. */
export async function post(
  call: Call,
  delivery: Delivery | object | string,
  path = '/v1/webhooks/receive'
): Promise<{ status: number; id: number }> {
  const whole = typeof delivery === 'object' && 'headers' in delivery && 'body' in delivery
  const { body, headers } = (whole ? delivery : { body: delivery, headers: {} }) as Delivery
  const answer = await call('POST', path, body, headers)
  return { status: answer.status, id: (answer.body as { event_id: number }).event_id }
}

/** How often each status came. */
export function statuses(answers: readonly number[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const status of answers) found[status] = (found[status] ?? 0) + 1
  return found
}
