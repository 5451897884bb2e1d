import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import type { LogAggregation, ServiceDefinition } from '../../contract.ts'
import type { FullEventDraft } from '../../service/client/account.ts'
import { instantOf } from './instants.ts'
import { operation, type Driven, type Operation } from './operation.ts'
import {
  at,
  garbageUnless,
  listAt,
  numberAt,
  objectOf,
  textAt,
  uniqueBy,
  windowOf
} from './read-recorded.ts'

const validate = operation({
  own: ['query.page', 'query.page_size'],
  companions: { 'GET /api/v1/monitor': [] },
  drive: account => account.validate(),
  refuses({ interaction: { response } }) {
    const valid = at(response.body, 'valid')
    if (typeof valid !== 'boolean') return 'garbage'
    return valid ? undefined : 'forbidden'
  },
  verify: result => assert.equal(result, undefined)
})

const alertTypes = ['error', 'warning', 'info', 'success'] as const
function eventOf({ interaction: { request }, recording }: Driven): FullEventDraft {
  const { body } = request
  const happened = instantOf(at(body, 'date_happened'), recording.at)
  const alertType = alertTypes.find(one => one === at(body, 'alert_type'))
  const [host, aggregationKey] = [textAt(body, 'host'), textAt(body, 'aggregation_key')]
  return {
    title: textAt(body, 'title') ?? '',
    text: textAt(body, 'text') ?? '',
    tags: listAt(body, 'tags').map(String),
    ...(host === undefined ? {} : { host }),
    ...(aggregationKey === undefined ? {} : { aggregationKey }),
    ...(alertType === undefined ? {} : { alertType }),
    ...(happened === undefined ? {} : { at: epochMs(happened) })
  }
}

/** The text of the id keeps all digits; where it is absent, the link has them. */
const eventIdOf = ({ interaction: { response } }: Driven): string | undefined =>
  textAt(response.body, 'event.id_str') ??
  /[?&]id=(\d+)/.exec(textAt(response.body, 'event.url') ?? '')?.[1]

const createEvent = operation({
  drive: (account, driven) => account.createEvent(eventOf(driven)),
  refuses: driven => garbageUnless(eventIdOf(driven) !== undefined),
  verify: (made, driven) => assert.equal(made.id, eventIdOf(driven))
})

type Compute = NonNullable<LogAggregation['compute']>
/** The first number asked for; a series without an interval has Datadog's own of five minutes. */
function computeOf(body: unknown): Compute | undefined {
  const first = at(body, 'compute.0')
  if (first === undefined) return undefined
  const metric = textAt(first, 'metric')
  const isSeries = at(first, 'type') === 'timeseries'
  return {
    aggregation: (textAt(first, 'aggregation') ?? 'count') as Compute['aggregation'],
    ...(metric === undefined ? {} : { metric }),
    ...(isSeries ? { interval: textAt(first, 'interval') ?? '5m' } : {})
  }
}

const bucketsIn = ({ interaction: { response } }: Driven): readonly unknown[] =>
  listAt(response.body, 'data.buckets')

const aggregateLogs = operation({
  own: ['body.group_by'],
  fills: [
    ...['query', 'from', 'to'].map(name => `body.filter.${name}`),
    ...['aggregation', 'type', 'interval'].map(name => `body.compute.0.${name}`)
  ],
  drive(account, driven) {
    const { body } = driven.interaction.request
    const compute = computeOf(body)
    return account.aggregateLogs({
      query: textAt(body, 'filter.query') ?? '',
      window: windowOf(at(body, 'filter'), driven.recording),
      limit: Math.max(1, bucketsIn(driven).length),
      groupBy: listAt(body, 'group_by').map(group => String(at(group, 'facet'))),
      ...(compute === undefined ? {} : { compute })
    })
  },
  refuses: ({ interaction: { response } }) =>
    garbageUnless(Array.isArray(at(response.body, 'data.buckets'))),
  verify({ rows }, driven) {
    const recorded = bucketsIn(driven)
    assert.equal(rows.length, recorded.length)
    for (const [n, row] of rows.entries()) {
      const by = Object.entries(objectOf(at(recorded[n], 'by')))
      assert.deepEqual(row.by, Object.fromEntries(by.map(([name, value]) => [name, String(value)])))
      const [computed] = Object.values(objectOf(at(recorded[n], 'computes')))
      if (Array.isArray(computed)) assert.equal(row.points?.length, computed.length)
      else assert.equal(row.value, numberAt({ computed }, 'computed') ?? null)
    }
  }
})

/** The first schema nests its names. */
const serviceName = (item: unknown): string | undefined =>
  textAt(item, 'attributes.schema.dd-service') ?? textAt(item, 'attributes.schema.info.dd-service')

function verifyService(service: ServiceDefinition, item: unknown): void {
  const schema = at(item, 'attributes.schema')
  assert.deepEqual(
    [service.name, service.schemaVersion, service.schema],
    [serviceName(item), textAt(schema, 'schema-version') ?? 'v1', schema]
  )
}

const usableServices = ({ interaction: { response } }: Driven): readonly unknown[] =>
  uniqueBy(listAt(response.body, 'data'), serviceName)

const listServices = operation({
  own: ['query.page[size]', 'query.page[number]'],
  drive: (account, { interaction: { response } }) =>
    account.services({ limit: Math.max(1, listAt(response.body, 'data').length) }),
  refuses(driven) {
    const list = at(driven.interaction.response.body, 'data')
    return garbageUnless(
      Array.isArray(list) && (list.length === 0 || usableServices(driven).length > 0)
    )
  },
  verify({ rows }, driven) {
    const recorded = usableServices(driven)
    assert.equal(rows.length, recorded.length)
    for (const [n, row] of rows.entries()) verifyService(row, recorded[n])
  }
})

const saveService = operation({
  drive: (account, { interaction: { request } }) => account.saveService(objectOf(request.body)),
  refuses: ({ interaction: { response } }) =>
    garbageUnless(serviceName(at(response.body, 'data.0')) !== undefined),
  verify: (saved, { interaction: { response } }) =>
    verifyService(saved, at(response.body, 'data.0'))
})

/** Recorded key checks, events, aggregations and service definitions. */
export const otherOperations: Readonly<Record<string, Operation>> = {
  'v1.AuthenticationApi.validate': validate,
  'v1.EventsApi.createEvent': createEvent,
  'v2.LogsApi.aggregateLogs': aggregateLogs,
  'v2.ServiceDefinitionApi.listServiceDefinitions': listServices,
  'v2.ServiceDefinitionApi.createOrUpdateServiceDefinitions': saveService
}
