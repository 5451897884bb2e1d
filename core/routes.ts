import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type } from 'typebox'
import { RayneError, type ErrorKind } from './errors.ts'
import type { Health } from './health.ts'
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
const swaggerFiles = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']
const pageHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
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
    async handle() {
      const checks = await about.health.report(true)
      const state = about.state()
      const ready = state === 'ready' && checks.every(check => check.ok || !check.required)
      const status = ready || state !== 'ready' ? state : 'failing'
      return reply(ready ? 200 : 503, { status, checks })
    }
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

function pages(router: HttpRouter): void {
  const statics = fileURLToPath(new URL('../assets/static/', import.meta.url))
  const swagger = path.dirname(
    createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')
  )
  const serve = (
    where: string,
    summary: string,
    fileOf: (name: string) => string | undefined
  ): void =>
    router.raw('core', 'GET', where, { summary, auth: 'public' }, ctx => {
      const file = fileOf(String(ctx['params'].file))
      if (file === undefined)
        throw new RayneError({
          code: 'route-not-found',
          message: 'the page of the API has no such file'
        })
      ctx.set(pageHeaders)
      ctx.type = path.extname(file)
      ctx.body = createReadStream(file)
    })
  serve('/docs', 'The API, readable', () => path.join(statics, 'docs.html'))
  serve('/docs/{file}', "The page's files", name =>
    name === 'start.js'
      ? path.join(statics, 'docs.js')
      : swaggerFiles.includes(name)
        ? path.join(swagger, name)
        : undefined
  )
  serve('/setup', 'Make the first admin, from the link printed at start', () =>
    path.join(statics, 'setup.html')
  )
  serve('/setup/start.js', "The set-up page's script", () => path.join(statics, 'setup.js'))
}
