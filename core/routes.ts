import { createReadStream } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Type, type TSchema } from 'typebox'
import { RayneError } from './errors.ts'
import type { Health } from './health.ts'
import type { HttpRouter } from './http/router.ts'
import type { Metrics } from './metrics.ts'
import { openApi } from './openapi.ts'
import { reply, type RouteSpec } from './plugin.ts'

const Check = Type.Object({ name: Type.String(), required: Type.Boolean(), ok: Type.Boolean(), detail: Type.String(), fix: Type.Optional(Type.String()), ms: Type.Integer() })
const types: Record<string, string> = { '.css': 'text/css', '.js': 'text/javascript', '.png': 'image/png' }
const assets = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png']
const pageHeaders = { 'content-security-policy': "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'", 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }

/** What the platform says of itself: health, metrics, the API description and its page. */
export function coreRoutes(router: HttpRouter, options: { health: Health; metrics: Metrics; version: string; state: () => 'starting' | 'ready' | 'closing' }): void {
  const route = <P extends TSchema, Q extends TSchema, B extends TSchema, R extends TSchema>(spec: RouteSpec<P, Q, B, R>): void => router.route('core', '', spec as unknown as RouteSpec<TSchema, TSchema, TSchema, TSchema>)
  route({ method: 'GET', path: '/healthz', auth: 'public', summary: 'The process turns (for liveness probes)', response: Type.Object({ status: Type.String() }), handle: () => ({ status: 'ok' }) })
  route({ method: 'GET', path: '/health', auth: 'public', summary: "The first version's health answer", response: Type.Object({ status: Type.String() }), handle: () => ({ status: 'healthy' }) })
  route({
    method: 'GET', path: '/readyz', auth: 'public', summary: 'A webhook sent now would be accepted (for readiness probes)',
    response: Type.Object({ status: Type.String(), checks: Type.Array(Check) }), also: { 503: 'not ready; the failing checks are named' },
    async handle() {
      const checks = await options.health.report(true)
      const state = options.state()
      const ready = state === 'ready' && checks.every(check => check.ok || !check.required)
      return reply(ready ? 200 : 503, { status: ready ? 'ready' : state === 'ready' ? 'failing' : state, checks })
    }
  })
  route({ method: 'GET', path: '/openapi.json', auth: 'public', summary: 'This API as OpenAPI 3.1', response: Type.Object({}, { additionalProperties: true }), handle: () => openApi(router.operations, { version: options.version }) })
  router.raw('core', 'GET', '/metrics', { summary: 'Prometheus metrics of this process', auth: 'user' }, async ctx => {
    ctx.type = options.metrics.registry.contentType
    ctx.body = await options.metrics.text()
  })
  pages(router)
}

function pages(router: HttpRouter): void {
  const swagger = path.dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'))
  router.raw('core', 'GET', '/docs', { summary: 'The API, readable', auth: 'public' }, ctx => {
    ctx.set(pageHeaders)
    ctx.type = 'text/html'
    ctx.body = docsPage
  })
  router.raw('core', 'GET', '/docs/{file}', { summary: "The page's files", auth: 'public' }, ctx => {
    const file = String(ctx['params'].file)
    ctx.set(pageHeaders)
    if (file === 'start.js') { ctx.type = 'text/javascript'; ctx.body = "window.onload = () => SwaggerUIBundle({ url: '/openapi.json', dom_id: '#docs', deepLinking: true, validatorUrl: null })\n" }
    else if (assets.includes(file)) { ctx.type = types[path.extname(file)] ?? 'application/octet-stream'; ctx.body = createReadStream(path.join(swagger, file)) }
    else throw new RayneError('route-not-found', 404, 'the page of the API has no such file')
  })
  router.raw('core', 'GET', '/setup', { summary: 'Make the first admin, from the link printed at start', auth: 'public' }, ctx => {
    ctx.set(pageHeaders)
    ctx.type = 'text/html'
    ctx.body = setupPage
  })
  router.raw('core', 'GET', '/setup/start.js', { summary: "The set-up page's script", auth: 'public' }, ctx => { ctx.type = 'text/javascript'; ctx.body = setupScript })
}

const head = (title: string): string => `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>`
const docsPage = `${head('Rayne API')}<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png"></head><body><div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body></html>`
const setupPage = `${head('Rayne: first admin')}<style>body{font:16px system-ui;max-width:24rem;margin:4rem auto;padding:0 1rem}label,button{display:block;margin:.8rem 0}input{width:100%;padding:.4rem;box-sizing:border-box}</style></head><body><h1>First admin</h1><form id="form"><label>Name <input name="name" required maxlength="100" autocomplete="username"></label><label>Password, 12 characters or more <input name="password" type="password" required minlength="12" autocomplete="new-password"></label><button>Make the admin</button></form><p id="said" role="status"></p><script src="/setup/start.js"></script></body></html>`
const setupScript = `document.getElementById('form').addEventListener('submit', async event => {
  event.preventDefault()
  const form = new FormData(event.target)
  const answer = await fetch('/register', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ name: form.get('name'), password: form.get('password'), setup: location.hash.slice(1) }) })
  const body = await answer.json()
  document.getElementById('said').textContent = answer.ok ? 'Done. ' + body.name + ' is the admin; log in with POST /login.' : body.error
})
`
