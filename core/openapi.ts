import { Type, type TSchema } from 'typebox'
import type { ErrorKind } from './errors.ts'
import { isSender } from './auth/principal.ts'
import type { Operation } from './http/operation.ts'
import { Problem } from './http/problem.ts'

const security: Record<string, unknown[]> = {
  public: [],
  ingest: [{ token: [] }, { basic: [] }, { ingestToken: [] }],
  other: [{ token: [] }, { session: [] }]
}

/** The registered routes as an OpenAPI 3.1 document; routes and document cannot disagree. */
export function openApi(
  operations: readonly Operation[],
  { version, errors }: { version: string; errors: readonly ErrorKind[] }
): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations
    .filter(each => each.method !== '*')
    .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : a.method < b.method ? -1 : 1))) {
    const item = (paths[operation.path] ??= {})
    item[operation.method.toLowerCase()] = describe(operation)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Rayne',
      version,
      description: `Alerts in, evidence-based root causes out.\n\n${errorTable(errors)}`,
      license: { name: 'MIT', identifier: 'MIT' }
    },
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic' },
        ingestToken: { type: 'apiKey', in: 'header', name: 'X-Rayne-Token' },
        session: { type: 'apiKey', in: 'cookie', name: 'rayne_session' }
      }
    }
  }
}

/** The error codes in Markdown, as viewers of OpenAPI show it. */
const errorTable = (errors: readonly ErrorKind[]): string =>
  [
    'What goes wrong is answered as a problem (RFC 9457) whose `type` is `urn:rayne:error:<code>`:',
    '',
    '| Code | Status | When |',
    '|---|---|---|',
    ...errors.map(({ code, status, about }) => `| ${code} | ${status} | ${about} |`)
  ].join('\n')

const content = (schema: TSchema): unknown => ({ 'application/json': { schema } })

function bodyOf(schema: TSchema | undefined, raw: boolean): unknown {
  if (schema) return { required: true, content: content(schema) }
  return raw ? { required: true, content: { '*/*': { schema: {} } } } : undefined
}

function describe({
  owner,
  method,
  path,
  summary,
  auth,
  spec,
  about = spec
}: Operation): Record<string, unknown> {
  const inPath =
    spec?.params ??
    Type.Object(
      Object.fromEntries([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, Type.String()]))
    )
  const scope = auth.replace('scope:', '')
  const parameters = [...parametersOf(inPath, 'path'), ...parametersOf(about?.query, 'query')]
  const body = bodyOf(about?.body, spec?.rawBody === true)
  const others = Object.fromEntries(
    Object.entries(spec?.also ?? {}).map(([status, description]) => [
      status,
      { description, ...(Number(status) < 300 && spec ? { content: content(spec.response) } : {}) }
    ])
  )
  return {
    operationId: `${owner}.${method.toLowerCase()}${path.replace(/\W+/g, '_')}`,
    tags: [owner],
    summary,
    ...(about?.description ? { description: about.description } : {}),
    'x-auth': auth,
    security: security[auth] ?? security[isSender([scope]) ? 'ingest' : 'other'],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: {
      [spec?.status ?? 200]: {
        description: 'Done',
        ...(about?.response ? { content: content(about.response) } : {})
      },
      ...others,
      default: {
        description: 'What went wrong',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } }
        }
      }
    }
  }
}

function parametersOf(schema: TSchema | undefined, where: 'path' | 'query'): unknown[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: Record<string, TSchema>
    required?: readonly string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    schema: property
  }))
}
