import { errorText, Type } from '../core/index.ts'
import type { DatadogAccount, ServiceDefinition } from '../plugins/datadog-proxy/contract.ts'
import { pageOf } from './kit/links.ts'
import { defineReader, limitOf } from './kit/reader.ts'

/** The catalog is read to here, so that a part of a name finds its services. */
const mostDefinitions = 1_000

export default defineReader({
  name: 'list_services',
  title: 'Services',
  description: [
    'Services of the catalog and those that send traces, with their team. Use it for the exact name of a service',
    'and for who owns it. It does not say how they fare: query_metrics and search_spans do.'
  ],
  input: {
    filter: Type.String({ maxLength: 200, default: '', description: 'part of a name or team' }),
    env: Type.String({ minLength: 1, maxLength: 100, default: 'prod', description: 'of traces' }),
    limit: limitOf(300, 50)
  },
  row: Type.Object({
    name: Type.String(),
    team: Type.String(),
    description: Type.String(),
    in_catalog: Type.Boolean(),
    sends_traces: Type.Boolean()
  }),
  example: { filter: 'checkout', env: 'prod', limit: 20 },
  async ask({ filter, env, limit }, { account, signal }) {
    const [catalog, traced] = await Promise.all([
      account.services({ limit: mostDefinitions }, { signal }),
      tracedIn(account, env, signal)
    ])
    const defined = new Map(catalog.rows.map(row => [row.name, row]))
    const all = [...new Set([...defined.keys(), ...traced.names])].map(name =>
      rowOf(name, defined.get(name), traced.names)
    )
    const wanted = filter.toLowerCase()
    const rows = all
      .filter(({ name, team }) => `${name} ${team}`.toLowerCase().includes(wanted))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    return {
      rows: rows.slice(0, limit),
      total: rows.length,
      truncated: rows.length > limit || catalog.truncated,
      warnings: [...catalog.warnings, ...traced.warnings],
      asked: { query: `services with "${filter}", traced in env:${env}` },
      link: pageOf(account, '/services', { query: filter }),
      whenEmpty: 'nothing is defined or traced under this name; try a shorter filter or another env'
    }
  }
})

const rowOf = (
  name: string,
  definition: ServiceDefinition | undefined,
  traced: readonly string[]
) => ({
  name,
  team: definition?.team ?? '',
  description: String(definition?.schema['description'] ?? '').slice(0, 300),
  in_catalog: definition !== undefined,
  sends_traces: traced.includes(name)
})

/** Names of services that send traces; an account without this list still has its catalog. */
async function tracedIn(account: DatadogAccount, env: string, signal: AbortSignal) {
  try {
    const answer = await account.get(
      { path: '/api/v2/apm/services', query: { 'filter[env]': env } },
      { signal }
    )
    const { data } = answer as { data?: { attributes?: { services?: unknown } } }
    const services = data?.attributes?.services
    const names = Array.isArray(services) ? services.filter(name => typeof name === 'string') : []
    return { names, warnings: [] }
  } catch (error) {
    signal.throwIfAborted()
    return { names: [], warnings: [`services that send traces are missing: ${errorText(error)}`] }
  }
}
