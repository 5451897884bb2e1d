import assert from 'node:assert/strict'
import { definePlugin, type PluginApp } from '../../../core/index.ts'
import { createTestApp, type Test } from '../../../core/testing.ts'
import { IncidentChanged, IncidentSettled } from '../contract.ts'
import webhooks from '../plugin.ts'

/** An incident as the API shows it. */
export interface IncidentWire {
  readonly id: number
  readonly state: string
  readonly status: string
  readonly title: string
  readonly event_id: number
  readonly member_count: number
  readonly firing_count: number
  readonly occurrences: number
  readonly flaps: number
  readonly settled_at: string | null
  readonly closed_at: string | null
  readonly closed_by: string | null
  readonly acknowledged_by: string | null
  readonly assigned_to: string | null
  readonly merged_into: number | null
  readonly would_merge: { readonly incident_id: number; readonly why: string } | null
  readonly members: readonly {
    readonly id: number
    readonly scope: string | null
    readonly rule: string
    readonly why_merged: string
    readonly occurrences: number
  }[]
  readonly log: readonly {
    readonly kind: string
    readonly by: string | null
    readonly text: string
  }[]
}
interface List {
  readonly incidents: IncidentWire[]
  readonly total_count: number
  readonly next_cursor: string | null
}

/** An application that only receives, and remembers what it is told of incidents. */
export async function incidentApp(t: Test, env: Readonly<Record<string, string>> = {}) {
  const settled: number[] = []
  const changes: string[] = []
  const listener = definePlugin({
    id: 'incident-listener',
    version: '1.0.0',
    register(app: PluginApp<unknown>) {
      app.on(IncidentSettled, async ({ event_id: id }) => {
        settled.push(id)
      })
      app.on(IncidentChanged, async ({ change }) => {
        changes.push(change)
      })
    }
  })
  const app = await createTestApp(t, {
    plugins: [webhooks, listener],
    env: { RAYNE_WEBHOOKS_SETTLE_SECONDS: '0', ...env }
  })
  const get = async <T>(path: string): Promise<T> => (await app.call<T>('GET', path)).body
  const send = async (body: object): Promise<number> => {
    const answer = await app.call<{ event_id: number }>('POST', '/v1/webhooks/receive', body)
    assert.equal(answer.status, 202)
    return answer.body.event_id
  }
  return {
    app,
    settled,
    changes,
    send,
    /** Sends webhooks in turn, each handled before the next. */
    async post(...bodies: readonly object[]): Promise<number[]> {
      const ids: number[] = []
      for (const body of bodies) {
        ids.push(await send(body))
        await app.drain()
      }
      return ids
    },
    incidents: async (query = ''): Promise<IncidentWire[]> =>
      (await get<List>(`/v1/incidents${query}`)).incidents.toReversed(),
    list: (query = '') => get<List>(`/v1/incidents${query}`),
    incident: (id: number) => get<IncidentWire>(`/v1/incidents/${id}`),
    act: (id: number, what: string, body?: object) =>
      app.call<IncidentWire>('POST', `/v1/incidents/${id}/${what}`, body)
  }
}

let sent = 0
/** An alert with an id of its own; `at` is its time in epoch seconds. */
export const alert = (facts: object = {}): object => ({
  id: `e${++sent}`,
  monitor_id: 7,
  monitor_name: 'checkout 5xx',
  alert_status: 'Alert',
  alert_transition: 'Triggered',
  alert_scope: 'service:checkout',
  ...facts
})
export const recovery = (facts: object = {}): object =>
  alert({ alert_status: 'OK', alert_transition: 'Recovered', ...facts })
