import {
  DatadogError,
  type DatadogObject,
  type DatadogRows,
  type ServiceDefinition
} from '../../contract.ts'
import { collectPages, type Page } from './collect-pages.ts'
import type { Sdk } from './load-sdk.ts'
import { defined, isObject, objectOf, textOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

const largestPage = 100

/** The service catalog, by name. */
export async function listServices(
  call: Call,
  sdk: Sdk,
  pageSize: number,
  { limit }: { limit: number }
): Promise<DatadogRows<ServiceDefinition>> {
  const readPage = async (cursor: string | undefined, size: number): Promise<Page> =>
    readServices(call, sdk, { page: Number(cursor ?? 0), limit: size })
  const collected = await collectPages({
    limit,
    pageSize: Math.min(pageSize, largestPage),
    readPage,
    toRow: toService,
    key: service => service.name
  })
  return { ...collected, asked: { query: 'all service definitions', limit } }
}

/** A page of the catalog, counted from 0. */
export async function readServices(
  call: Call,
  sdk: Sdk,
  { page, limit }: { page: number; limit: number }
): Promise<Page> {
  const answer = await call.read(needs('apm_service_catalog_read'), async () =>
    (await sdk.v2()).services.listServiceDefinitions(limit, page)
  )
  const items = definitionsIn(answer)
  return { items, next: items.length < limit ? undefined : String(page + 1) }
}

/** Creates or replaces a definition, sent once; repeating it does no harm. */
export async function saveService(
  call: Call,
  sdk: Sdk,
  schema: DatadogObject
): Promise<ServiceDefinition> {
  const name = textOf(schema['dd-service'])
  if (name === undefined)
    throw new DatadogError('invalid', "a service definition names its service in 'dd-service'")
  const answer = await call.write(needs('apm_service_catalog_write'), async () => {
    // The client's models know camelCase only and drop kebab-case keys, so the body is sent as it was given.
    const request = await (
      await sdk.v2()
    ).services.createOrUpdateServiceDefinitions({ schemaVersion: 'v2.2', ddService: name })
    request.setBody(JSON.stringify(schema))
    return request
  })
  const saved = toService(definitionsIn(answer)[0])
  if (!saved)
    throw new DatadogError(
      'garbage',
      'Datadog answered the service definition without it, so it may be saved',
      { datadogStatus: 200 }
    )
  return saved
}

function definitionsIn(answer: unknown): readonly unknown[] {
  if (!isObject(answer) || !Array.isArray(answer['data']))
    throw new DatadogError('garbage', 'Datadog answered the service catalog without a list', {
      datadogStatus: 200
    })
  return answer['data']
}

function toService(item: unknown): ServiceDefinition | undefined {
  const schema = objectOf(objectOf(objectOf(item)['attributes'])['schema'])
  // The first schema, v1, nests the names.
  const name = textOf(schema['dd-service']) ?? textOf(objectOf(schema['info'])['dd-service'])
  if (name === undefined) return undefined
  return {
    name,
    schema,
    schemaVersion: textOf(schema['schema-version']) ?? 'v1',
    ...defined({ team: textOf(schema['team']) ?? textOf(objectOf(schema['org'])['team']) })
  }
}
