import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import type { DatadogDowntime, DowntimeDraft } from '../../contract.ts'
import { instantOf } from './instants.ts'
import { operation, type Driven, type Operation } from './operation.ts'
import {
  at,
  garbageUnless,
  idAt,
  lastPart,
  listAt,
  textAt,
  textsAt,
  uniqueBy
} from './read-recorded.ts'

/** A downtime can be used when it has an id and a scope. */
const isDowntime = (item: unknown): boolean =>
  idAt(item, 'id') !== undefined && typeof at(item, 'attributes.scope') === 'string'

function draftOf({ interaction: { request }, recording }: Driven): DowntimeDraft {
  const attributes = at(request.body, 'data.attributes')
  const [from, to] = ['schedule.start', 'schedule.end'].map(path =>
    instantOf(at(attributes, path), recording.at)
  )
  // The end of an old recording is past; it follows a start that was "now" then.
  const start = from ?? (to === undefined ? undefined : recording.at)
  const message = textAt(attributes, 'message')
  const scope = textAt(attributes, 'scope') ?? ''
  return {
    scope,
    monitor: monitorOf(at(attributes, 'monitor_identifier')),
    to: to === undefined ? null : epochMs(to),
    ...(start === undefined ? {} : { from: epochMs(start) }),
    ...(message === undefined ? {} : { message }),
    ...(scope === '*' ? { everything: true } : {})
  }
}

const monitorOf = (identifier: unknown): DowntimeDraft['monitor'] => {
  const tags = listAt(identifier, 'monitor_tags').map(String)
  return tags.length > 0 ? { tags } : { id: idAt(identifier, 'monitor_id') ?? '' }
}

/** The schedule of a recurring downtime is that of its current or next time. */
function verifyDowntime(made: DatadogDowntime, item: unknown): void {
  const attributes = at(item, 'attributes')
  const schedule = at(attributes, 'schedule.current_downtime') ?? at(attributes, 'schedule')
  const time = (name: string): number | undefined => {
    const parsed = Date.parse(textAt(schedule, name) ?? '')
    return Number.isNaN(parsed) ? undefined : parsed
  }
  assert.deepEqual(
    [made.id, made.scope, made.status, made.message, made.monitorId, made.from, made.to],
    [
      idAt(item, 'id'),
      at(attributes, 'scope'),
      textAt(attributes, 'status') ?? 'unknown',
      textAt(attributes, 'message') ?? '',
      idAt(attributes, 'monitor_identifier.monitor_id'),
      time('start'),
      time('end')
    ]
  )
  assert.deepEqual(
    made.monitorTags.toSorted(),
    textsAt(attributes, 'monitor_identifier.monitor_tags')
  )
}

const createDowntime = operation({
  fills: ['body.data.attributes.schedule.start'],
  sends: ['scope', 'message', 'monitor_identifier', 'schedule.end'].map(
    name => `body.data.attributes.${name}`
  ),
  drive: (account, driven) => account.createDowntime(draftOf(driven)),
  refuses: ({ interaction: { response } }) => garbageUnless(isDowntime(at(response.body, 'data'))),
  verify: (made, { interaction: { response } }) => verifyDowntime(made, at(response.body, 'data'))
})

const usable = ({ interaction: { response } }: Driven): readonly unknown[] =>
  uniqueBy(listAt(response.body, 'data').filter(isDowntime), item => idAt(item, 'id'))

const listDowntimes = operation({
  own: ['query.page[limit]', 'query.page[offset]'],
  drive: (account, { interaction: { request, response } }) =>
    account.downtimes({
      currentOnly: String(request.query['current_only']) === 'true',
      limit: Math.max(1, listAt(response.body, 'data').length)
    }),
  refuses(driven) {
    const list = at(driven.interaction.response.body, 'data')
    return garbageUnless(Array.isArray(list) && (list.length === 0 || usable(driven).length > 0))
  },
  verify({ rows }, driven) {
    const recorded = usable(driven)
    assert.equal(rows.length, recorded.length)
    for (const [n, row] of rows.entries()) verifyDowntime(row, recorded[n])
  }
})

const cancelDowntime = operation({
  goneIsFine: true,
  drive: (account, { interaction }) => account.cancelDowntime(lastPart(interaction)),
  verify: result => assert.equal(result, undefined)
})

/** Recorded downtimes. */
export const downtimeOperations: Readonly<Record<string, Operation>> = {
  'v2.DowntimesApi.createDowntime': createDowntime,
  'v2.DowntimesApi.listDowntimes': listDowntimes,
  'v2.DowntimesApi.cancelDowntime': cancelDowntime
}
