import { hash, hex } from '../random.ts'
import { ok, type Call, type Route } from '../route.ts'
import type { ServiceSpec } from '../scenario.ts'

export const serviceRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v2/services/definitions', op: 'v2.ServiceDefinitionApi.listServiceDefinitions', handle: list }
]

function list({ account, query }: Call) {
  const size = Math.min(100, Number(query.get('page[size]') ?? 10) || 10)
  const page = Number(query.get('page[number]') ?? 0) || 0
  const { services, seed, t0 } = account.world
  return ok({ data: services.slice(page * size, (page + 1) * size).map(service => definition(service, seed, t0)) })
}

function definition(service: ServiceSpec, seed: number, t0: number): object {
  const own = hash(seed, 'definition', service.name)
  const modified = new Date(t0 - 86_400_000 * (20 + own % 300)).toISOString().replace(/\.\d+Z/, 'Z')
  const url = `https://wiki.example.com/${service.name}`
  return {
    type: 'service-definition', id: hex(own, 32),
    attributes: {
      meta: { 'last-modified-time': modified, 'github-html-url': '', 'ingestion-source': 'api', origin: 'unknown', 'origin-detail': '', warnings: [], 'ingested-schema-version': 'v2.1' },
      schema: {
        'schema-version': 'v2.1', 'dd-service': service.name, team: service.team, description: service.description, languages: service.language === undefined ? [] : [service.language], tier: 'high', lifecycle: 'production', application: 'shop',
        contacts: [{ name: 'Team mail', type: 'email', contact: `${service.team}@example.com` }],
        links: [{ name: 'Runbook', type: 'runbook', url: `${url}/runbook` }, { name: 'Source', type: 'repo', provider: 'Git', url: `https://git.example.com/shop/${service.name}` }],
        tags: [`team:${service.team}`, `kind:${service.kind}`, ...(service.dependsOn ?? []).map(name => `depends-on:${name}`)],
        integrations: {}, extensions: { 'depends-on': service.dependsOn ?? [] }
      }
    }
  }
}
