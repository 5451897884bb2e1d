import { hash, mix } from '../world/random.ts'
import type { CitedRow, Verdict } from './verdict.ts'

/** Asks the simulated Datadog as an account would. */
export type Ask = (method: string, path: string, body?: unknown) => Promise<unknown>
interface Asked {
  readonly ask: Ask
  readonly alertAt: number
  readonly seed: number
}
interface FoundEvent {
  readonly id: string
  readonly attributes: {
    readonly timestamp: string
    readonly message: string
    readonly attributes: { readonly service?: string; readonly title?: string }
  }
}

const iso = (at: number): string => new Date(at).toISOString()
const nothing = (alertAt: number): Verdict => ({
  component: null,
  class: null,
  triggers: [],
  onset: iso(alertAt),
  cited: [],
  affected: null,
  remediation: null
})

/** Three ways to guess without looking; a product that does not beat them explains nothing. */
export const baselines: Readonly<Record<string, (asked: Asked) => Promise<Verdict>>> = {
  async 'last deploy'({ ask, alertAt }) {
    const { data } = (await ask('POST', '/api/v2/events/search', {
      filter: {
        query: 'source:deployment env:prod',
        from: iso(alertAt - 3_600_000),
        to: iso(alertAt)
      },
      sort: '-timestamp',
      page: { limit: 1 }
    })) as { data: FoundEvent[] }
    const [last] = data
    if (!last) return nothing(alertAt)
    const service = last.attributes.attributes.service ?? null
    const row: CitedRow = {
      slot: 'changes',
      id: last.id,
      text: last.attributes.attributes.title ?? '',
      facts: {}
    }
    return {
      ...nothing(alertAt),
      component: service,
      class: 'change.deploy',
      triggers: [last.id],
      cited: [row],
      affected: service === null ? null : [service],
      remediation: 'rollback'
    }
  },
  async 'loudest service'({ ask, alertAt }) {
    const { data } = (await ask('POST', '/api/v2/logs/analytics/aggregate', {
      filter: {
        query: 'status:error env:prod',
        from: iso(alertAt - 900_000),
        to: iso(alertAt + 300_000)
      },
      compute: [{ aggregation: 'count' }],
      group_by: [{ facet: 'service', limit: 1 }]
    })) as { data: { buckets: { by: { service?: string } }[] } }
    const service = data.buckets[0]?.by.service ?? null
    return {
      ...nothing(alertAt),
      component: service,
      affected: service === null ? null : [service]
    }
  },
  async random({ ask, alertAt, seed }) {
    const { data } = (await ask('GET', '/api/v2/services/definitions?page[size]=100')) as {
      data: { attributes: { schema: { 'dd-service': string } } }[]
    }
    const names = data.map(one => one.attributes.schema['dd-service'])
    return {
      ...nothing(alertAt),
      component: names[mix(hash('guess'), seed) % Math.max(1, names.length)] ?? null
    }
  }
}
