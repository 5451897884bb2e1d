import { Type, type Static } from '../../../core/index.ts'
import type { DatadogObject } from '../contract.ts'
import { accountQuery, accountsQuery, askAccounts, askOne } from './ask-accounts.ts'
import { About, aboutOf, Paged, pagedOf, pageQuery, Row, rowsOf } from './list-answer.ts'
import type { Datadog } from '../service/datadog.ts'
import type { AddRoute } from './add-route.ts'

const word = Type.Optional(Type.String({ maxLength: 200 }))
const flag = Type.Boolean({ default: false })
const Simple = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  language: Type.String({ default: 'unknown', maxLength: 200 }),
  type: Type.String({ default: 'web', maxLength: 200 }),
  platform: word,
  serverless: flag,
  host: word,
  url: word,
  env: word,
  apm: flag,
  rum: flag,
  active: flag,
  version: word,
  owner: word,
  cost_center: word,
  department: word,
  team: word
})
const Full = Type.Object(
  {
    'dd-service': Type.String({ minLength: 1, maxLength: 200 }),
    'schema-version': Type.String({ default: 'v2.2', pattern: '^v\\d+(\\.\\d+)?$' })
  },
  { additionalProperties: true }
)
const Saved = Type.Object({
  data: Type.Array(
    Type.Object({
      type: Type.String(),
      attributes: Type.Object({ schema: Type.Object({}, { additionalProperties: true }) })
    })
  ),
  account: Type.String(),
  simulated: Type.Boolean()
})
const query = Type.Object({ account: accountQuery }, { additionalProperties: false })

async function save(
  datadog: Datadog,
  account: string | undefined,
  schema: DatadogObject,
  signal: AbortSignal
): Promise<Static<typeof Saved>> {
  const { value, ...from } = await askOne(datadog, account, signal, (one, options) =>
    one.saveService(schema, options)
  )
  return {
    data: [{ type: 'service-definition', attributes: { schema: { ...value.schema } } }],
    ...from
  }
}

const list: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'GET',
    path: '/services',
    auth: 'user',
    summary: 'Service definitions of the catalog',
    query: Type.Object(
      { account: accountsQuery, ...pageQuery(1, 100, 50) },
      { additionalProperties: false }
    ),
    response: Type.Object({ data: Type.Array(Row), ...Paged, ...About }),
    async handle({ query: { account, page, per_page }, signal }) {
      const found = await askAccounts(datadog, account, { signal }, (one, options) =>
        one.page({ of: 'services', page: page - 1, limit: per_page }, options)
      )
      return { data: rowsOf(found), ...pagedOf(found, page, per_page), ...aboutOf(found) }
    }
  })

const saveSimple: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'POST',
    path: '/services/definitions',
    auth: 'admin',
    summary: 'Create or replace a service definition from plain fields, which become tags',
    query,
    body: Simple,
    response: Saved,
    handle: ({ query: { account }, body, signal }) =>
      save(datadog, account, definitionOf(body), signal)
  })

const saveFull: AddRoute = (app, { datadog }) =>
  app.route({
    method: 'POST',
    path: '/services/definitions/advanced',
    auth: 'admin',
    summary: "Create or replace a service definition in Datadog's own schema",
    query,
    body: Full,
    response: Saved,
    handle: ({ query: { account }, body, signal }) => save(datadog, account, body, signal)
  })

/** The service catalog. */
export const catalogRoutes: readonly AddRoute[] = [list, saveSimple, saveFull]

// Datadog refuses other words in these two fields; the tags keep every word.
const types = new Set(['web', 'db', 'cache', 'function', 'browser', 'mobile', 'custom'])
const languages = new Set(['dotnet', 'go', 'java', 'js', 'php', 'python', 'ruby', 'c++'])

function definitionOf({ name, ...fields }: Static<typeof Simple>): DatadogObject {
  const tags = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([key, value]) => `${key}:${String(value)}`)
  return {
    'schema-version': 'v2.2',
    'dd-service': name,
    tags,
    ...(fields.team ? { team: fields.team } : {}),
    ...(types.has(fields.type) ? { type: fields.type } : {}),
    ...(languages.has(fields.language) ? { languages: [fields.language] } : {})
  }
}
