import { hash, hex } from '../world/random.ts'
import { ok, type Route } from './route.ts'
import { bucketId } from './aggregates.ts'

/** v1 and v2 look at the API key only; `validate_keys` needs both. */
export const validateRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/api/v1/validate',
    op: 'v1.AuthenticationApi.validate',
    apiKeyOnly: true,
    handle: () => ok({ valid: true })
  },
  {
    method: 'GET',
    path: '/api/v2/validate',
    op: 'v2.KeyManagementApi.validateAPIKey',
    apiKeyOnly: true,
    handle: ({ account }) =>
      ok({
        data: {
          id: hex(hash(account.world.seed, 'key'), 16),
          type: 'validate_v2',
          attributes: {
            api_key_id: bucketId(hash(account.world.seed, 'key')),
            api_key_scopes: [],
            valid: true
          }
        }
      })
  },
  {
    method: 'GET',
    path: '/api/v2/validate_keys',
    op: 'v2.KeyManagementApi.validateKeys',
    handle: () => ok({ status: 'ok' })
  }
]
