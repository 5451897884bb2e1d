import assert from 'node:assert/strict'
import type { DatadogRows } from '../../contract.ts'
import type { OpenAccount } from '../../service/client/account.ts'
import { operation, type Driven, type Operation } from './operation.ts'
import { isLast, pageSizeOf, ranOutOfTime, rowsOf } from './paging.ts'
import {
  at,
  garbageUnless,
  idAt,
  listAt,
  numberAt,
  textAt,
  textsAt,
  uniqueBy,
  windowOf
} from './read-recorded.ts'

/** How the v2 searches differ: where the search is in the body, and what makes an item one that can be used. */
interface Kind<T> {
  readonly root: 'body' | 'body.data.attributes'
  readonly own?: readonly string[]
  readonly fills?: readonly string[]
  readonly sends?: readonly string[]
  ask(account: OpenAccount, search: Asked): Promise<DatadogRows<T>>
  isUsable(item: unknown): boolean
  verify(row: T, item: unknown): void
}
interface Asked {
  readonly query: string
  readonly window: ReturnType<typeof windowOf>
  readonly limit: number
  readonly sort: 'oldest' | 'newest'
  /** The filter and the rest of the search as they were recorded. */
  readonly filter: unknown
}

function search<T extends { readonly id: string }>(kind: Kind<T>): Operation {
  const { root } = kind
  const usable = (pages: Driven['pages']): readonly unknown[] =>
    uniqueBy(rowsOf(pages).filter(kind.isUsable), item => idAt(item, 'id'))
  return operation<DatadogRows<T>>({
    own: [`${root}.page.limit`, ...(kind.own ?? []).map(name => `${root}.${name}`)],
    fills: ['filter.query', 'filter.from', 'filter.to', 'sort', ...(kind.fills ?? [])].map(
      name => `${root}.${name}`
    ),
    sends: (kind.sends ?? []).map(name => `${root}.${name}`),
    drive(account, { pages, recording, interaction }) {
      const asked = at(interaction.request, root)
      const filter = at(asked, 'filter')
      const last = pages.at(-1)
      const reachesEnd = last !== undefined && isLast(last, pageSizeOf(interaction))
      return kind.ask(account, {
        query: textAt(filter, 'query') ?? '',
        window: windowOf(filter, recording),
        limit: Math.max(1, usable(pages).length + (reachesEnd ? 1 : 0)),
        sort: at(asked, 'sort') === 'timestamp' ? 'oldest' : 'newest',
        filter
      })
    },
    refuses({ pages }) {
      const [first] = pages
      if (!first || !Array.isArray(at(first.response.body, 'data'))) return 'garbage'
      const recorded = rowsOf(pages)
      if (recorded.length === 0) return ranOutOfTime(first) ? 'timeout' : undefined
      return garbageUnless(usable(pages).length > 0)
    },
    verify({ rows, warnings, asked }, { pages }) {
      const recorded = usable(pages)
      assert.deepEqual(
        rows.map(row => row.id),
        recorded.map(item => idAt(item, 'id'))
      )
      for (const [n, row] of rows.entries()) kind.verify(row, at(recorded[n], 'attributes'))
      assert.equal(
        warnings.some(text => text.includes('ran out of time')),
        pages.some(ranOutOfTime)
      )
      assert.ok(asked.from && asked.to)
    }
  })
}

/** Epoch ms of a time as the searches answer it. */
const timeAt = (value: unknown, path: string): number | undefined => {
  const time = Date.parse(textAt(value, path) ?? '')
  return numberAt(value, path) ?? (Number.isNaN(time) ? undefined : time)
}

/** A field that the client may also find in a tag: what is recorded in its own place must come out. */
function sameIfRecorded(found: string | undefined, recorded: string | undefined): void {
  if (recorded !== undefined) assert.equal(found, recorded)
}

const storageTiers = ['indexes', 'flex', 'online-archives'] as const
const logs = search({
  root: 'body',
  fills: ['filter.storage_tier'],
  sends: ['filter.indexes'],
  ask(account, { filter, ...asked }) {
    const tier = storageTiers.find(one => one === at(filter, 'storage_tier'))
    const indexes = listAt(filter, 'indexes').map(String)
    return account.logs({
      ...asked,
      ...(tier === undefined ? {} : { tier }),
      ...(indexes.length === 0 ? {} : { indexes })
    })
  },
  isUsable: item => timeAt(item, 'attributes.timestamp') !== undefined,
  verify(row, recorded) {
    assert.deepEqual(row.tags.toSorted(), textsAt(recorded, 'tags'))
    assert.deepEqual(
      [row.at, row.status, row.message],
      [
        timeAt(recorded, 'timestamp'),
        textAt(recorded, 'status') ?? 'unknown',
        textAt(recorded, 'message') ?? ''
      ]
    )
    sameIfRecorded(row.service, textAt(recorded, 'service'))
    sameIfRecorded(row.host, textAt(recorded, 'host'))
    assert.deepEqual(row.attributes, at(recorded, 'attributes') ?? {})
  }
})

const events = search({
  root: 'body',
  own: ['sort'],
  ask: (account, { query, window, limit }) => account.events({ query, window, limit }),
  isUsable: item =>
    (timeAt(item, 'attributes.attributes.timestamp') ?? timeAt(item, 'attributes.timestamp')) !==
    undefined,
  verify(row, recorded) {
    const message = textAt(recorded, 'message') ?? ''
    assert.deepEqual(row.tags.toSorted(), textsAt(recorded, 'tags'))
    assert.deepEqual(
      [row.message, row.at],
      [message, timeAt(recorded, 'attributes.timestamp') ?? timeAt(recorded, 'timestamp')]
    )
    assert.equal(
      row.title,
      textAt(recorded, 'attributes.title') ??
        textAt(recorded, 'attributes.evt.name') ??
        message.split('\n', 1)[0]
    )
    sameIfRecorded(row.host, textAt(recorded, 'attributes.hostname'))
    sameIfRecorded(row.status, textAt(recorded, 'attributes.status'))
  }
})

/** Nanoseconds: as stated, else from start to end. */
function durationOf(recorded: unknown): number | undefined {
  const [start, end] = [timeAt(recorded, 'start_timestamp'), timeAt(recorded, 'end_timestamp')]
  return (
    numberAt(recorded, 'custom.duration') ??
    (start === undefined || end === undefined ? undefined : (end - start) * 1e6)
  )
}

const spans = search({
  root: 'body.data.attributes',
  ask: (account, { query, window, limit, sort }) => account.spans({ query, window, limit, sort }),
  isUsable: item =>
    idAt(item, 'attributes.trace_id') !== undefined &&
    idAt(item, 'attributes.span_id') !== undefined &&
    timeAt(item, 'attributes.start_timestamp') !== undefined,
  verify(row, recorded) {
    const parent = idAt(recorded, 'parent_id')
    assert.deepEqual(row.tags.toSorted(), textsAt(recorded, 'tags'))
    assert.deepEqual(
      [row.traceId, row.spanId, row.parentId, row.service, row.resource, row.at, row.durationNs],
      [
        idAt(recorded, 'trace_id'),
        idAt(recorded, 'span_id'),
        // 0 stands for "no parent".
        parent === '0' ? undefined : parent,
        textAt(recorded, 'service') ?? 'unknown',
        textAt(recorded, 'resource_name') ?? '',
        timeAt(recorded, 'start_timestamp'),
        durationOf(recorded)
      ]
    )
    sameIfRecorded(row.operation, textAt(recorded, 'operation_name'))
    sameIfRecorded(row.host, textAt(recorded, 'host'))
  }
})

/** Recorded v2 searches. */
export const searchOperations: Readonly<Record<string, Operation>> = {
  'v2.LogsApi.listLogs': logs,
  'v2.EventsApi.searchEvents': events,
  'v2.SpansApi.listSpans': spans
}
