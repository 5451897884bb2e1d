import { resourcesOf, type Account } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { hash, hex } from '../world/random.ts'
import { ok, type Call, type Reply, type Route } from './route.ts'
import { rumEvents, rumJson, shopApplication } from '../world/rum.ts'
import { rawFromBody, rawFromQuery, readSearch, type RawSearch } from '../search/request.ts'
import { bucketId } from './aggregates.ts'
import { answer } from './page.ts'

const base = '/api/v2/rum/applications'
/** Events of browsers and the applications that send them. */
export const rumRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v2/rum/events/search',
    op: 'v2.RUMApi.searchRUMEvents',
    scope: 'rum_apps_read',
    handle: call => search(call, rawFromBody(call.body))
  },
  {
    method: 'GET',
    path: '/api/v2/rum/events',
    op: 'v2.RUMApi.listRUMEvents',
    scope: 'rum_apps_read',
    handle: call => search(call, rawFromQuery(call.query))
  },
  {
    method: 'GET',
    path: base,
    op: 'v2.RUMApi.getRUMApplications',
    scope: 'rum_apps_read',
    handle: ({ account }) =>
      ok({
        data: [...applications(account).values()].map(
          ({ hash: _hash, client_token: _token, ...attributes }) => resource(attributes)
        )
      })
  },
  {
    method: 'GET',
    path: `${base}/:id`,
    op: 'v2.RUMApi.getRUMApplication',
    scope: 'rum_apps_read',
    handle: call => ok({ data: resource(find(call)) })
  },
  {
    method: 'POST',
    path: base,
    op: 'v2.RUMApi.createRUMApplication',
    scope: 'rum_apps_write',
    handle: create
  },
  {
    method: 'PATCH',
    path: `${base}/:id`,
    op: 'v2.RUMApi.updateRUMApplication',
    scope: 'rum_apps_write',
    handle: update
  },
  {
    method: 'DELETE',
    path: `${base}/:id`,
    op: 'v2.RUMApi.deleteRUMApplication',
    scope: 'rum_apps_write',
    handle: call => {
      const gone = resourcesOf(call.account, 'rum-deleted')
      const id = call.params['id'] ?? ''
      // Deleting it again is no error, one that never was is.
      if (!gone.has(id)) applications(call.account).delete(String(find(call)['application_id']))
      gone.set(id, {})
      return { status: 204, type: null }
    }
  }
]

function search(call: Call, raw: RawSearch): Reply {
  const request = readSearch(raw, call.now, call.cursorKey)
  const rows = rumEvents(call.account.world, request, call.now)
  return answer(call, raw, request, rows, rows.map(rumJson), true)
}

type Application = Record<string, unknown>

/** The applications of an account; one is there from the beginning. */
function applications(account: Account): Map<string, Application> {
  const store = resourcesOf(account, 'rum')
  const id = shopApplication(account.world)
  if (account.resources.get('rum-seeded') === undefined) {
    resourcesOf(account, 'rum-seeded')
    store.set(
      id,
      application(account, id, 'shop-web', 'browser', account.world.t0 - 86_400_000 * 200)
    )
  }
  return store
}

function application(
  account: Account,
  id: string,
  name: string,
  type: string,
  at: number
): Application {
  const token = `pub${hex(hash(account.world.seed, id), 32)}`
  const scale = (state: string) => ({ state, last_modified_at: at })
  return {
    application_id: id,
    name,
    type,
    org_id: account.spec.orgId,
    created_at: at,
    updated_at: at,
    created_by_handle: 'sre@example.com',
    updated_by_handle: 'sre@example.com',
    tags: [],
    is_active: true,
    hash: token,
    client_token: token,
    product_analytics_replay_sample_rate: 100,
    product_scales: {
      product_analytics_retention_scale: scale('NONE'),
      rum_event_processing_scale: scale('ALL')
    }
  }
}

const resource = (attributes: Application): object => ({
  type: 'rum_application',
  id: attributes['application_id'],
  attributes
})

function find({ account, params }: Call): Application {
  const found = applications(account).get(params['id'] ?? '')
  if (!found) throw refuse(404, 'Application Not Found not found')
  return found
}

const attributesOf = (body: unknown, type: string): { attributes: Record<string, unknown> } => {
  const data = (
    body as { data?: { type?: unknown; attributes?: Record<string, unknown> } } | undefined
  )?.data
  if (data?.type !== type || typeof data.attributes !== 'object')
    throw refuse(400, `Invalid request: 'data' must be of type '${type}' with attributes`)
  return { attributes: data.attributes }
}

function create(call: Call): Reply {
  const { attributes } = attributesOf(call.body, 'rum_application_create')
  if (typeof attributes['name'] !== 'string') throw refuse(400, 'name is required')
  const id = bucketId(hash(call.account.world.seed, 'rum application', ++call.account.writes))
  const made = application(
    call.account,
    id,
    attributes['name'],
    String(attributes['type'] ?? 'browser'),
    call.now
  )
  applications(call.account).set(id, made)
  return ok({ data: resource(made) })
}

function update(call: Call): Reply {
  if ((call.body as { data?: { id?: unknown } } | undefined)?.data?.id !== call.params['id'])
    throw refuse(422, 'id mismatch')
  const { attributes } = attributesOf(call.body, 'rum_application_update')
  const found = find(call)
  if (typeof attributes['name'] === 'string') found['name'] = attributes['name']
  if (typeof attributes['type'] === 'string') found['type'] = attributes['type']
  found['updated_at'] = call.now
  return ok({ data: resource(found) })
}
