import { ok, type Route } from '../route.ts'

export const validateRoutes: readonly Route[] = [
  { method: 'GET', path: '/api/v1/validate', op: 'v1.AuthenticationApi.validate', apiKeyOnly: true, handle: () => ok({ valid: true }) }
]
