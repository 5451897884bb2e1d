import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import type { TimeWindow } from '../../contract.ts'
import {
  bodyOf,
  dataOf,
  sameSet,
  textOf,
  uniqueBy,
  type Json,
  type Operation
} from './operation.ts'
import { readOperations } from './read-operations.ts'
import { instantOf, type Interaction, type Recording } from './recordings.ts'
import { cursorOf } from './replay-server.ts'
import { writeOperations } from './write-operations.ts'

/**
 * Rows a page of the recorded search, Datadog's default when it names none; lists without a body are read in one
 * page.
 */
export function pageSizeOf({ request }: Interaction): number {
  const body = request.body as Json | null
  const page = body?.['page'] ?? body?.['data']?.attributes?.page
  return request.method === 'GET' ? 1000 : Math.max(1, Number(page?.limit ?? 10))
}

/** The pages one search is meant to read: from its own until a short page or a cursor nobody recorded. */
export function pagesFrom(first: Interaction, recording: Recording): Interaction[] {
  const pages = [first]
  for (let page = first; ;) {
    if (isLast(page, pageSizeOf(first))) return pages
    const next = recording.interactions.find(
      other =>
        other.op === first.op &&
        other.request.path === first.request.path &&
        cursorOf(other.request) === bodyOf(page)['meta'].page.after
    )
    if (!next || pages.includes(next)) return pages
    pages.push(next)
    page = next
  }
}

/** Whether a client must not ask for more after this page. */
const isLast = (page: Interaction, size: number): boolean =>
  !textOf(bodyOf(page)?.['meta']?.page?.after) || dataOf([page]).length < size

function windowOf(filter: Json, recording: Recording): TimeWindow {
  const to = instantOf(filter['to'], recording.at) ?? recording.at
  return { from: epochMs(instantOf(filter['from'], recording.at) ?? to - 900_000), to: epochMs(to) }
}

function search(
  verb: 'logs' | 'events' | 'spans',
  verifyRow: (row: Json, recorded: Json) => void
): Operation {
  const at = verb === 'spans' ? 'body.data.attributes' : 'body'
  return {
    own: [`${at}.page.limit`, `${at}.sort`],
    fills: ['query', 'from', 'to', ...(verb === 'logs' ? ['storage_tier'] : [])].map(
      name => `${at}.filter.${name}`
    ),
    drive(account, { request }, pages, recording) {
      const body = request.body as Json | null
      const filter = (verb === 'spans' ? body?.['data']?.attributes : body)?.['filter'] ?? {}
      const limit = Math.max(
        1,
        uniqueBy(dataOf(pages), 'id').length +
          (isLast(pages.at(-1)!, pageSizeOf(pages[0]!)) ? 1 : 0)
      )
      return account[verb]({
        query: textOf(filter.query),
        window: windowOf(filter, recording),
        limit,
        ...(verb === 'logs' ? { sort: body?.['sort'] === 'timestamp' ? 'oldest' : 'newest' } : {})
      })
    },
    verify(result, pages) {
      const { rows, warnings, asked } = result as { rows: Json[]; warnings: string[]; asked: Json }
      const recorded = uniqueBy(dataOf(pages), 'id')
      assert.deepEqual(
        rows.map(row => row['id']),
        recorded.map(item => String(item['id']))
      )
      for (const [n, item] of recorded.entries()) verifyRow(rows[n]!, item['attributes'])
      assert.equal(
        warnings.some(text => text.includes('ran out of time')),
        pages.some(page => bodyOf(page)['meta']?.status === 'timeout')
      )
      assert.ok(asked['from'] && asked['to'])
    }
  }
}

const hosts: Operation = {
  own: [
    'query.start',
    'query.count',
    'query.include_muted_hosts_data',
    'query.include_hosts_metadata'
  ],
  drive: (account, interaction) =>
    account.hosts({
      filter: textOf(interaction.request.query['filter']),
      limit: Math.max(1, (bodyOf(interaction)?.['host_list'] ?? []).length)
    }),
  verify(result, [page]) {
    const rows = (result as { rows: Json[] }).rows
    const recorded = uniqueBy(
      (bodyOf(page!)['host_list'] as Json[]).map(host => ({
        ...host,
        name: host['name'] ?? host['host_name']
      })),
      'name'
    )
    assert.deepEqual(
      rows.map(row => row['name']),
      recorded.map(host => host['name'])
    )
    for (const [n, host] of recorded.entries()) {
      const row = rows[n]!
      assert.deepEqual(
        [row['up'], row['muted'], row['lastReported']],
        [
          host['up'] ?? undefined,
          host['is_muted'] ?? undefined,
          host['last_reported_time'] ?? undefined
        ]
      )
      assert.equal(row['metrics'].cpu, host['metrics']?.cpu ?? undefined)
      sameSet(row['tags'], Object.values(host['tags_by_source'] ?? {}).flat() as string[])
    }
  }
}

const metric: Operation = {
  own: [],
  drive: (account, { request }) =>
    account.metric({
      query: textOf(request.query['query']),
      window: {
        from: epochMs(Number(request.query['from']) * 1000),
        to: epochMs(Number(request.query['to']) * 1000)
      }
    }),
  verify(result, [page], { request }) {
    const rows = (result as { rows: Json[] }).rows
    const recorded = bodyOf(page!)['series'] as Json[]
    assert.deepEqual(
      rows.map(row => [row['metric'], row['scope'], row['intervalSeconds']]),
      recorded.map(series => [series['metric'], series['scope'], series['interval']])
    )
    for (const [n, series] of recorded.entries()) {
      const whole = (series['pointlist'] as [number, number | null][]).filter(
        ([at]) => at / 1000 + series['interval'] <= Number(request.query['to'])
      )
      assert.deepEqual(
        rows[n]!['points'].map((point: Json) => [point['at'], point['value']]),
        whole
      )
    }
  }
}

const monitor: Operation = {
  own: [],
  drive: (account, { request }) =>
    account.monitor(decodeURIComponent(request.path.split('/').at(-1) ?? '')),
  verify(result, [page]) {
    const row = result as Json
    const recorded = bodyOf(page!)
    assert.deepEqual(
      [
        row['id'],
        row['name'],
        row['type'],
        row['query'],
        row['message'],
        row['state'],
        row['priority']
      ],
      [
        String(recorded['id']),
        recorded['name'] ?? '',
        recorded['type'],
        recorded['query'],
        recorded['message'] ?? '',
        recorded['overall_state'] ?? 'unknown',
        recorded['priority'] ?? null
      ]
    )
    sameSet(row['tags'], recorded['tags'])
    assert.deepEqual(
      row['thresholds'],
      Object.fromEntries(
        Object.entries(recorded['options']?.thresholds ?? {}).filter(
          ([, value]) => typeof value === 'number'
        )
      )
    )
    assert.equal(
      row['createdAt'],
      recorded['created_at'] ?? (recorded['created'] ? Date.parse(recorded['created']) : undefined)
    )
  }
}

const listNotebooks: Operation = {
  own: [
    'query.start',
    'query.count',
    'query.sort_field',
    'query.sort_dir',
    'query.query',
    'query.include_cells'
  ],
  drive: (account, interaction) =>
    account.findNotebook(textOf(dataOf([interaction])[0]?.['attributes']?.name) || 'rayne'),
  verify(result, pages) {
    const recorded = dataOf(pages)
    const name = recorded[0]?.['attributes'].name
    const newest = recorded
      .filter(item => name && item['attributes'].name.includes(name))
      .toSorted((a, b) => b['attributes'].created.localeCompare(a['attributes'].created))[0]
    assert.equal((result as Json | undefined)?.['id'], newest && String(newest['id']))
  }
}

const keys = (companions: Readonly<Record<string, unknown>>): Operation => ({
  own: ['query.page', 'query.page_size'],
  companions,
  drive: account => account.validate(),
  verify: result => assert.equal(result, undefined)
})

const spoken = (row: Json, recorded: Json): void => {
  sameSet(row['tags'], recorded['tags'])
  assert.equal(row['message'], recorded['message'] ?? '')
}

/** Every operation our client uses, by the name recordings give it. */
export const operations: Readonly<Record<string, Operation>> = {
  'v1.AuthenticationApi.validate': keys({ 'GET /api/v1/monitor': [] }),
  'v1.MonitorsApi.getMonitor': monitor,
  'v1.HostsApi.listHosts': hosts,
  'v1.MetricsApi.queryMetrics': metric,
  'v1.NotebooksApi.listNotebooks': listNotebooks,
  'v2.LogsApi.listLogs': search('logs', (row, recorded) => {
    spoken(row, recorded)
    assert.deepEqual(
      [row['at'], row['status']],
      [new Date(recorded['timestamp']).getTime(), recorded['status'] ?? 'unknown']
    )
    if (recorded['service']) assert.equal(row['service'], recorded['service'])
  }),
  'v2.EventsApi.searchEvents': search('events', (row, recorded) => {
    spoken(row, recorded)
    assert.equal(Math.floor(row['at'] / 1000), Math.floor(Date.parse(recorded['timestamp']) / 1000))
    if (recorded['attributes']?.title) assert.equal(row['title'], recorded['attributes'].title)
  }),
  'v2.SpansApi.listSpans': search('spans', (row, recorded) => {
    sameSet(row['tags'], recorded['tags'])
    assert.deepEqual(
      [row['traceId'], row['spanId'], row['service'], row['resource']],
      [recorded['trace_id'], recorded['span_id'], recorded['service'], recorded['resource_name']]
    )
    assert.equal(row['durationNs'], recorded['custom'].duration)
    assert.equal(row['parentId'], recorded['parent_id'] === '0' ? undefined : recorded['parent_id'])
  }),
  ...readOperations,
  ...writeOperations
}
