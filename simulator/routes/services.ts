import { resourcesOf } from '../world/accounts.ts'
import { ApiError, refuse } from './api-error.ts'
import { hash, hex } from '../world/random.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import type { ServiceSpec } from '../scenarios/load-scenario.ts'
import { bucketId } from './aggregates.ts'

const base = '/api/v2/services/definitions'
/** Service definitions, the newer catalogue over them, and services that send traces. */
export const serviceRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: base,
    op: 'v2.ServiceDefinitionApi.listServiceDefinitions',
    scope: 'apm_service_catalog_read',
    handle: list
  },
  {
    method: 'POST',
    path: base,
    op: 'v2.ServiceDefinitionApi.createOrUpdateServiceDefinitions',
    scope: 'apm_service_catalog_write',
    handle: put
  },
  {
    method: 'GET',
    path: `${base}/:name`,
    op: 'v2.ServiceDefinitionApi.getServiceDefinition',
    scope: 'apm_service_catalog_read',
    handle: call => ok({ data: find(call) })
  },
  {
    method: 'DELETE',
    path: `${base}/:name`,
    op: 'v2.ServiceDefinitionApi.deleteServiceDefinition',
    scope: 'apm_service_catalog_write',
    handle: remove
  },
  {
    method: 'GET',
    path: '/api/v2/catalog/entity',
    op: 'v2.SoftwareCatalogApi.listCatalogEntity',
    scope: 'apm_service_catalog_read',
    handle: entities
  },
  {
    method: 'GET',
    path: '/api/v2/apm/services',
    op: 'v2.APMApi.getServiceList',
    scope: 'apm_read',
    handle: apmServices
  }
]

type Definition = Record<string, unknown> & {
  attributes: { meta: Record<string, unknown>; schema: Record<string, unknown> }
}

/** Definitions of the scenario and those that were written, by name; null marks a deleted one. */
function definitions({ account }: Call): Map<string, Definition> {
  const { services, seed, t0 } = account.world
  const written = resourcesOf(account, 'definition')
  const gone = resourcesOf(account, 'definition-deleted')
  const all = new Map<string, Definition>(
    services.map(service => [service.name, definition(service, seed, t0)])
  )
  for (const [name, found] of written) all.set(name, found as Definition)
  for (const name of gone.keys()) all.delete(name)
  return all
}

const notFound = (): ApiError => new ApiError(404, { errors: ['Not Found'], error_details: [{}] })

function find(call: Call): Definition {
  const found = definitions(call).get(call.params['name'] ?? '')
  if (!found) throw notFound()
  return found
}

function list(call: Call): Reply {
  const size = Math.min(100, Number(call.query.get('page[size]') ?? 10) || 10)
  const page = Number(call.query.get('page[number]') ?? 0) || 0
  return ok({ data: [...definitions(call).values()].slice(page * size, (page + 1) * size) })
}

/** Takes schema v2 and later as they are; the answer shows what is kept. */
function put(call: Call): Reply {
  const schema = call.body as Record<string, unknown> | undefined
  const name = schema?.['dd-service']
  if (!schema || typeof name !== 'string' || !/^v2(\.\d)?$/.test(String(schema['schema-version'])))
    throw refuse(400, 'Invalid service definition: schema-version and dd-service are required')
  const meta = {
    'last-modified-time': new Date(call.now).toISOString(),
    'github-html-url': '',
    'ingestion-source': 'api',
    origin: 'unknown',
    'origin-detail': '',
    warnings: [],
    'ingested-schema-version': schema['schema-version']
  }
  const made: Definition = {
    type: 'service-definition',
    id: hex(hash(call.account.world.seed, 'definition', name), 32),
    attributes: { meta, schema }
  }
  resourcesOf(call.account, 'definition').set(name, made)
  resourcesOf(call.account, 'definition-deleted').delete(name)
  return ok({ data: [made] })
}

function remove(call: Call): Reply {
  find(call)
  const name = call.params['name'] ?? ''
  resourcesOf(call.account, 'definition').delete(name)
  resourcesOf(call.account, 'definition-deleted').set(name, {})
  return { status: 204, type: 'text/html; charset=utf-8' }
}

function definition(service: ServiceSpec, seed: number, t0: number): Definition {
  const own = hash(seed, 'definition', service.name)
  const modified = new Date(t0 - 86_400_000 * (20 + (own % 300)))
    .toISOString()
    .replace(/\.\d+Z/, 'Z')
  const url = `https://wiki.example.com/${service.name}`
  return {
    type: 'service-definition',
    id: hex(own, 32),
    attributes: {
      meta: {
        'last-modified-time': modified,
        'github-html-url': '',
        'ingestion-source': 'api',
        origin: 'unknown',
        'origin-detail': '',
        warnings: [],
        'ingested-schema-version': 'v2.1'
      },
      schema: {
        'schema-version': 'v2.1',
        'dd-service': service.name,
        team: service.team,
        description: service.description,
        languages: service.language === undefined ? [] : [service.language],
        tier: 'high',
        lifecycle: 'production',
        application: 'shop',
        contacts: [{ name: 'Team mail', type: 'email', contact: `${service.team}@example.com` }],
        links: [
          { name: 'Runbook', type: 'runbook', url: `${url}/runbook` },
          {
            name: 'Source',
            type: 'repo',
            provider: 'Git',
            url: `https://git.example.com/shop/${service.name}`
          }
        ],
        tags: [
          `team:${service.team}`,
          `kind:${service.kind}`,
          ...(service.dependsOn ?? []).map(name => `depends-on:${name}`)
        ],
        integrations: {},
        extensions: { 'depends-on': service.dependsOn ?? [] }
      }
    }
  }
}

function entities(call: Call): Reply {
  const offset = Math.max(0, Number(call.query.get('page[offset]') ?? 0) || 0)
  const limit = Math.min(100, Math.max(1, Number(call.query.get('page[limit]') ?? 100) || 100))
  const wanted = call.query.get('filter[name]')
  const all = [...definitions(call)].filter(([name]) => wanted === null || name === wanted)
  const data = all.slice(offset, offset + limit).map(
    ([
      name,
      {
        attributes: { meta, schema }
      }
    ]) => ({
      id: bucketId(hash(call.account.world.seed, 'entity', name)),
      type: 'entity',
      attributes: {
        apiVersion: 'v2',
        displayName: name,
        kind: 'service',
        name,
        namespace: 'default',
        owner: schema['team'],
        tags: schema['tags'] ?? []
      },
      meta: {
        createdAt: meta['last-modified-time'],
        modifiedAt: meta['last-modified-time'],
        ingestionSource: 'api',
        origin: 'unknown'
      }
    })
  )
  const link = (at: number): string =>
    `/api/v2/catalog/entity?page%5Blimit%5D=${limit}&page%5Boffset%5D=${at}`
  return {
    status: 200,
    type: 'application/vnd.api+json',
    body: {
      data,
      meta: { count: data.length, includeCount: 0 },
      links: { self: link(offset), next: link(offset + limit) }
    }
  }
}

/** Services that send traces in an environment, which must be named. */
function apmServices({ account, query }: Call): Reply {
  const env = query.get('filter[env]')
  if (!env) throw refuse(400, "missing required parameter 'filter[env]'")
  const services = account.world.services
    .filter(
      service =>
        ['http', 'worker'].includes(service.kind) &&
        service.deployments.some(one => one.env === env)
    )
    .map(service => service.name)
    .toSorted()
  return ok({
    data: {
      id: hex(hash(account.world.seed, env), 16),
      type: 'services_list',
      attributes: { services, metadata: services.map(() => ({ isTraced: true, isUsm: false })) }
    }
  })
}
