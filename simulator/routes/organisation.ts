import { generateKeyPairSync } from 'node:crypto'
import { resourcesOf } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { hash, hex } from '../world/random.ts'
import { bucket } from '../control/rate-limits.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { bucketId } from './aggregates.ts'
import { author } from './people.ts'

const base = '/api/v1/synthetics/private-locations'
/** What an organisation has besides its data: private locations, address ranges, people and teams. */
export const organisationRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: base,
    op: 'v1.SyntheticsApi.createPrivateLocation',
    scope: 'synthetics_private_location_write',
    handle: create
  },
  {
    method: 'GET',
    path: `${base}/:id`,
    op: 'v1.SyntheticsApi.getPrivateLocation',
    scope: 'synthetics_private_location_read',
    handle: call => ok(find(call))
  },
  {
    method: 'PUT',
    path: `${base}/:id`,
    op: 'v1.SyntheticsApi.updatePrivateLocation',
    scope: 'synthetics_private_location_write',
    handle: update
  },
  {
    method: 'DELETE',
    path: `${base}/:id`,
    op: 'v1.SyntheticsApi.deletePrivateLocation',
    scope: 'synthetics_private_location_write',
    handle: call => {
      resourcesOf(call.account, 'location').delete(String(find(call)['id']))
      return { status: 204, type: 'text/html; charset=utf-8' }
    }
  },
  {
    method: 'GET',
    path: '/api/v1/synthetics/locations',
    op: 'v1.SyntheticsApi.listLocations',
    bucket: bucket('synthetics_locations', 12_000, 60),
    handle: ({ account }) =>
      ok({
        locations: [
          ...regions,
          ...[...resourcesOf(account, 'location').values()].map(one => ({
            id: one['id'],
            name: one['name']
          }))
        ]
      })
  },
  {
    method: 'GET',
    path: '/',
    op: 'v1.IPRangesApi.getIPRanges',
    anonymous: true,
    handle: () => ok(ranges)
  },
  {
    method: 'GET',
    path: '/api/v2/users',
    op: 'v2.UsersApi.listUsers',
    scope: 'user_access_read',
    handle: users
  },
  {
    method: 'GET',
    path: '/api/v2/team',
    op: 'v2.TeamsApi.listTeams',
    scope: 'teams_read',
    handle: teams
  }
]

const regions = [
  ['aws:us-east-2', 'Ohio (AWS)'],
  ['aws:eu-central-1', 'Frankfurt (AWS)'],
  ['aws:ap-northeast-1', 'Tokyo (AWS)'],
  ['azure:eastus', 'Virginia (Azure)']
].map(([id, name]) => ({ id, name }))
const block = { prefixes_ipv4: ['203.0.113.0/24'], prefixes_ipv6: ['2001:db8::/56'] }
const ranges = {
  version: 47,
  modified: '2022-01-25-20-00-00',
  agents: block,
  api: block,
  apm: block,
  global: block,
  logs: block,
  orchestrator: block,
  process: block,
  synthetics: {
    ...block,
    prefixes_ipv4_by_location: Object.fromEntries(
      [
        'aws:ap-northeast-1',
        'aws:ap-northeast-2',
        'aws:ap-south-1',
        'aws:ap-southeast-1',
        'aws:ap-southeast-2',
        'aws:ca-central-1',
        'aws:eu-central-1',
        'aws:eu-north-1',
        'aws:eu-west-1',
        'aws:eu-west-2',
        'aws:eu-west-3',
        'aws:sa-east-1',
        'aws:us-east-2',
        'aws:us-west-1',
        'aws:us-west-2',
        'azure:eastus'
      ].map(name => [name, ['203.0.113.7/32']])
    ),
    prefixes_ipv6_by_location: {}
  },
  webhooks: block
}

function find({ account, params }: Call): Record<string, unknown> {
  const found = resourcesOf(account, 'location').get(params['id'] ?? '')
  if (!found) throw refuse(404, `Synthetics Private Location: ${params['id']} not found`)
  return found
}

let pem: { publicKey: string; privateKey: string } | undefined
/** One real key pair for the whole process: making one takes long, and it opens nothing. */
const keys = (): { publicKey: string; privateKey: string } =>
  (pem ??= generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  }))

/** The only answer that holds the secrets of a location. */
function create(call: Call): Reply {
  const { name, description, tags, metadata } = (call.body ?? {}) as Record<string, unknown>
  if (typeof name !== 'string' || typeof description !== 'string' || !Array.isArray(tags))
    throw refuse(400, 'name, description and tags are required')
  const seed = hash(call.account.world.seed, 'location', ++call.account.writes)
  const id = `pl:${name.toLowerCase().replace(/[^a-z0-9]+/g, '_')}-${hex(seed, 32)}`
  const at = new Date(call.now).toISOString()
  const location = {
    id,
    name,
    description,
    tags,
    metadata: metadata ?? null,
    createdAt: at,
    modifiedAt: at,
    createdBy: author.attributes.handle
  }
  resourcesOf(call.account, 'location').set(id, location)
  const { publicKey, privateKey } = keys()
  const [accessKey, secretAccessKey] = [hex(seed ^ 1, 32), hex(seed ^ 2, 40)]
  return ok({
    private_location: {
      ...location,
      secrets: {
        authentication: { id: accessKey, key: secretAccessKey },
        config_decryption: { key: privateKey }
      }
    },
    config: {
      id,
      site: call.account.spec.site,
      accessKey,
      secretAccessKey,
      privateKey,
      publicKey: { pem: publicKey, fingerprint: hex(seed ^ 3, 40) }
    },
    result_encryption: { id: hex(seed ^ 3, 40), key: publicKey }
  })
}

function update(call: Call): Reply {
  const found = find(call)
  const given = (call.body ?? {}) as Record<string, unknown>
  for (const key of ['name', 'description', 'tags', 'metadata'])
    if (given[key] !== undefined) found[key] = given[key]
  found['modifiedAt'] = new Date(call.now).toISOString()
  return ok(found)
}

function users({ query }: Call): Reply {
  const filter = (query.get('filter') ?? '').toLowerCase()
  const data = author.attributes.email.includes(filter)
    ? [
        {
          ...author,
          relationships: {
            roles: { data: [] },
            org: { data: { type: 'orgs', id: '4dee724d-00cc-11ea-a77b-570c9d03c6c5' } }
          }
        }
      ]
    : []
  return ok({ meta: { page: { total_filtered_count: data.length, total_count: 1 } }, data })
}

function teams({ account }: Call): Reply {
  const { services, t0, seed } = account.world
  const created = new Date(t0 - 86_400_000 * 300).toISOString().replace('Z', '000+00:00')
  const data = [...new Set(services.map(service => service.team))].toSorted().map(handle => {
    const id = bucketId(hash(seed, 'team', handle))
    const link = (name: string) => ({ links: { related: `/api/v2/team/${id}/${name}` } })
    return {
      type: 'team',
      id,
      attributes: {
        name: handle,
        handle,
        summary: `Team ${handle}`,
        description: `Owns the services of ${handle}.`,
        user_count: 1,
        link_count: 0,
        created_at: created,
        modified_at: created
      },
      relationships: {
        user_team_permissions: link('permission-settings'),
        team_links: link('links')
      }
    }
  })
  const url = `https://api.${account.spec.site}/api/v2/team`
  const pagination = {
    offset: 0,
    first_offset: 0,
    prev_offset: 0,
    next_offset: 100,
    last_offset: 0,
    limit: 100,
    type: 'offset_limit',
    total: data.length
  }
  return ok({
    data,
    meta: { pagination },
    links: {
      self: url,
      last: null,
      next: `${url}?page[offset]=100&page[limit]=100`,
      prev: null,
      first: `${url}?page[offset]=0&page[limit]=100`
    }
  })
}
