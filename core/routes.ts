import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Type, type TSchema } from 'typebox'
import { RayneError, type ErrorKind } from './errors.ts'
import type { Health } from './health.ts'
import type { HttpRouter } from './http/router.ts'
import type { Metrics } from './metrics.ts'
import { openApi } from './openapi.ts'
import { reply, type RouteSpec } from './plugin.ts'

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
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer'
}

/** What the platform says of itself: health, metrics, the API description and its page. */
export function coreRoutes(
  router: HttpRouter,
  options: {
    health: Health
    metrics: Metrics
    errors: readonly ErrorKind[]
    version: string
    state: () => 'starting' | 'ready' | 'closing'
  }
): void {
  const route = <P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(
    spec: RouteSpec<P, Q, B, R>
  ): void =>
    router.route('core', '', spec as unknown as RouteSpec<TSchema, TSchema, TSchema, TSchema>)
  route({
    method: 'GET',
    path: '/healthz',
    auth: 'public',
    summary: 'The process turns (for liveness probes)',
    response: Type.Object({ status: Type.String() }),
    handle: () => ({ status: 'ok' })
  })
  route({
    method: 'GET',
    path: '/health',
    auth: 'public',
    summary: "The first version's health answer",
    response: Type.Object({ status: Type.String() }),
    handle: () => ({ status: 'healthy' })
  })
  route({
    method: 'GET',
    path: '/readyz',
    auth: 'public',
    summary: 'A webhook sent now would be accepted (for readiness probes)',
    response: Type.Object({ status: Type.String(), checks: Type.Array(Check) }),
    also: { 503: 'not ready; the failing checks are named' },
    async handle() {
      const checks = await options.health.report(true)
      const state = options.state()
      const ready = state === 'ready' && checks.every(check => check.ok || !check.required)
      return reply(ready ? 200 : 503, {
        status: ready ? 'ready' : state === 'ready' ? 'failing' : state,
        checks
      })
    }
  })
  route({
    method: 'GET',
    path: '/openapi.json',
    auth: 'public',
    summary: 'This API as OpenAPI 3.1',
    response: Type.Object({}, { additionalProperties: true }),
    handle: () => openApi(router.operations, options)
  })
  router.raw(
    'core',
    'GET',
    '/metrics',
    { summary: 'Prometheus metrics of this process', auth: 'user' },
    async ctx => {
      ctx.type = options.metrics.registry.contentType
      ctx.body = await options.metrics.text()
    }
  )
  pages(router)
}

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
