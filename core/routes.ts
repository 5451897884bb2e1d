import { createReadStream } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type } from 'typebox'
import type { ErrorKind } from './errors.ts'
import type { CheckReport, Health } from './health.ts'
import type { HttpRouter } from './http/router.ts'
import type { State } from './lifecycle.ts'
import type { Metrics } from './metrics.ts'
import { openApi } from './openapi.ts'
import { defineRoute, reply, type Route } from './route.ts'

const Check = Type.Object({
  name: Type.String(),
  required: Type.Boolean(),
  ok: Type.Boolean(),
  detail: Type.String(),
  fix: Type.Optional(Type.String()),
  ms: Type.Integer()
})
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "img-src data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer'
}

interface About {
  readonly health: Health
  readonly metrics: Metrics
  readonly errors: readonly ErrorKind[]
  readonly version: string
  readonly state: () => State
}

/** What the platform says of itself: health, metrics, the API description and its page. */
export function coreRoutes(router: HttpRouter, about: About): void {
  for (const route of [healthz, health, readyz(about), openapi(router, about)])
    router.route('core', '', route)
  const words = { summary: 'Prometheus metrics of this process', auth: 'user' } as const
  router.raw('core', 'GET', '/metrics', words, async ctx => {
    ctx.type = about.metrics.registry.contentType
    ctx.body = await about.metrics.text()
  })
  pages(router)
}

const healthz = defineRoute({
  method: 'GET',
  path: '/healthz',
  auth: 'public',
  summary: 'The process turns (for liveness probes)',
  response: Type.Object({ status: Type.String() }),
  handle: () => ({ status: 'ok' })
})

const health = defineRoute({
  method: 'GET',
  path: '/health',
  auth: 'public',
  summary: "The first version's health answer",
  response: Type.Object({ status: Type.String() }),
  handle: () => ({ status: 'healthy' })
})

const readyz = (about: About): Route =>
  defineRoute({
    method: 'GET',
    path: '/readyz',
    auth: 'public',
    summary: 'A webhook sent now would be accepted (for readiness probes)',
    response: Type.Object({ status: Type.String(), checks: Type.Array(Check) }),
    also: { 503: 'not ready; the failing checks are named' },
    async handle({ principal }) {
      const found = await about.health.report(true)
      const checks = principal.kind === 'anonymous' ? found.map(withoutDetail) : found
      const state = about.state()
      const ready = state === 'ready' && checks.every(check => check.ok || !check.required)
      const status = ready || state !== 'ready' ? state : 'failing'
      return reply(ready ? 200 : 503, { status, checks })
    }
  })

/** What a driver says of a failure names hosts, users and databases. */
const withoutDetail = ({ name, required, ok, ms }: CheckReport): CheckReport => ({
  name,
  required,
  ok,
  ms,
  detail: ok ? 'is well' : 'fails; who is logged in sees why'
})

const openapi = (router: HttpRouter, about: About): Route =>
  defineRoute({
    method: 'GET',
    path: '/openapi.json',
    auth: 'public',
    summary: 'This API as OpenAPI 3.1',
    response: Type.Object({}, { additionalProperties: true }),
    handle: () => openApi(router.operations, about)
  })

const statics = fileURLToPath(new URL('../assets/static/', import.meta.url))
const setup = 'Make the first admin, from the link printed at start'
/** The pages and what they load, by path. */
const files: readonly (readonly [route: string, file: string, summary: string])[] = [
  ['/docs', 'docs.html', 'The API, readable'],
  ['/docs/start.js', 'docs.js', "The page's script"],
  ['/docs/style.css', 'style.css', "The page's style"],
  ['/setup', 'setup.html', setup],
  ['/setup/start.js', 'setup.js', "The set-up page's script"],
  ['/setup/style.css', 'style.css', "The set-up page's style"]
]

function pages(router: HttpRouter): void {
  for (const [route, file, summary] of files)
    router.raw('core', 'GET', route, { summary, auth: 'public' }, ctx => {
      ctx.set(pageHeaders)
      ctx.type = path.extname(file)
      ctx.body = createReadStream(path.join(statics, file))
    })
}
