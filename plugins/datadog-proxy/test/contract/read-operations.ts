import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import type { LogAggregation } from '../../service/client/account.ts'
import { bodyOf, dataOf, sameSet, textOf, type Json, type Operation } from './operation.ts'
import { instantOf } from './recordings.ts'

const rowsIn = (result: unknown): Json[] => (result as { rows: Json[] }).rows
const lastPart = (path: string): string => decodeURIComponent(path.split('/').at(-1) ?? '')

const hostTotals: Operation = {
  own: [],
  drive: account => account.hostTotals(),
  verify: (result, [page]) =>
    assert.deepEqual(result, {
      up: bodyOf(page!)['total_up'],
      active: bodyOf(page!)['total_active']
    })
}

const hostTags: Operation = {
  own: [],
  drive: (account, { request }) => account.hostTags(lastPart(request.path)),
  verify: (result, [page]) => sameSet(result as string[], bodyOf(page!)['tags'])
}

const allHostTags: Operation = {
  own: [],
  drive: account => account.allHostTags(),
  verify(result, [page]) {
    const pairs = (Object.entries(bodyOf(page!)['tags']) as [string, string[]][]).flatMap(
      ([tag, hosts]) => hosts.map(host => `${host} ${tag}`)
    )
    sameSet(
      [...(result as Map<string, string[]>)].flatMap(([host, tags]) =>
        tags.map(tag => `${host} ${tag}`)
      ),
      pairs
    )
  }
}

const listMonitors: Operation = {
  own: ['query.page', 'query.page_size'],
  drive: (account, interaction) =>
    account.monitors({
      limit: Math.max(
        1,
        Array.isArray(interaction.response.body) ? interaction.response.body.length : 1
      )
    }),
  verify: (result, [page]) =>
    assert.deepEqual(
      rowsIn(result).map(row => [row['id'], row['state']]),
      (page!.response.body as Json[]).map(item => [String(item['id']), item['overall_state']])
    )
}

const searchMonitors: Operation = {
  own: ['query.page', 'query.per_page'],
  drive: (account, interaction) =>
    account.searchMonitors({
      query: textOf(interaction.request.query['query']),
      limit: Math.max(1, (bodyOf(interaction)?.['monitors'] ?? []).length)
    }),
  verify(result, [page]) {
    const recorded = bodyOf(page!)['monitors'] as Json[]
    assert.deepEqual(
      rowsIn(result).map(row => [row['id'], row['name'], row['state'], row['lastTriggered']]),
      recorded.map(item => [
        String(item['id']),
        item['name'],
        item['status'],
        item['last_triggered_ts'] ?? undefined
      ])
    )
  }
}

const listDowntimes: Operation = {
  own: ['query.page[limit]', 'query.page[offset]'],
  drive: (account, interaction) =>
    account.downtimes({
      currentOnly: interaction.request.query['current_only'] === 'true',
      limit: Math.max(1, dataOf([interaction]).length)
    }),
  verify(result, pages) {
    assert.deepEqual(
      rowsIn(result).map(row => [row['id'], row['scope'], row['status']]),
      dataOf(pages).map(item => [item['id'], item['attributes'].scope, item['attributes'].status])
    )
  }
}

const aggregateLogs: Operation = {
  own: ['body.group_by'],
  drive(account, { request }, _pages, recording) {
    const {
      filter = {},
      compute: [first] = [],
      group_by: groups = []
    } = request.body as { filter?: Json; compute?: Json[]; group_by?: Json[] }
    const at = (value: unknown) => epochMs(instantOf(value, recording.at) ?? recording.at)
    const compute = {
      aggregation: first?.['aggregation'],
      ...(first?.['interval'] ? { interval: first['interval'] } : {})
    } as NonNullable<LogAggregation['compute']>
    return account.aggregateLogs({
      query: textOf(filter['query']),
      window: { from: at(filter['from']), to: at(filter['to']) },
      limit: 10,
      compute,
      groupBy: groups.map(group => group['facet'])
    })
  },
  verify: (result, [page]) =>
    assert.equal(rowsIn(result).length, bodyOf(page!)['data'].buckets.length)
}

const listServices: Operation = {
  own: ['query.page[size]', 'query.page[number]'],
  drive: (account, interaction) =>
    account.services({ limit: Math.max(1, dataOf([interaction]).length) }),
  verify(result, pages) {
    assert.deepEqual(
      rowsIn(result).map(row => [row['name'], row['schemaVersion'], row['schema']]),
      dataOf(pages).map(({ attributes: { schema } }) => [
        schema['dd-service'],
        schema['schema-version'],
        schema
      ])
    )
  }
}

const getNotebook: Operation = {
  own: [],
  drive: (account, { request }) => account.notebook(lastPart(request.path)),
  verify(result, [page]) {
    const { id, attributes } = bodyOf(page!)['data']
    const { cells, ...read } = result as Json
    assert.deepEqual(
      [read['id'], read['name'], read['modifiedAt']],
      [String(id), attributes.name, Date.parse(attributes.modified)]
    )
    assert.deepEqual(
      cells.map((cell: Json) => [cell['id'], cell['definition']]),
      attributes.cells.map((cell: Json) => [cell['id'], cell['attributes'].definition])
    )
  }
}

const getWebhook: Operation = {
  own: [],
  drive: (account, { request }) => account.webhook(lastPart(request.path)),
  verify: (result, [page]) =>
    assert.deepEqual(
      [(result as Json)['name'], (result as Json)['url'], (result as Json)['payload']],
      ['name', 'url', 'payload'].map(key => bodyOf(page!)[key])
    )
}

/** Recorded reads besides the searches. */
export const readOperations: Readonly<Record<string, Operation>> = {
  'v1.HostsApi.getHostTotals': hostTotals,
  'v1.TagsApi.getHostTags': hostTags,
  'v1.TagsApi.listHostTags': allHostTags,
  'v1.MonitorsApi.listMonitors': listMonitors,
  'v1.MonitorsApi.searchMonitors': searchMonitors,
  'v1.NotebooksApi.getNotebook': getNotebook,
  'v1.WebhooksIntegrationApi.getWebhooksIntegration': getWebhook,
  'v2.DowntimesApi.listDowntimes': listDowntimes,
  'v2.LogsApi.aggregateLogs': aggregateLogs,
  'v2.ServiceDefinitionApi.listServiceDefinitions': listServices
}
