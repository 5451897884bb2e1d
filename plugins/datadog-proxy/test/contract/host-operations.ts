import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import { instantOf } from './instants.ts'
import { operation, type Operation } from './operation.ts'
import {
  at,
  garbageUnless,
  lastPart,
  listAt,
  numberAt,
  objectOf,
  textAt,
  textsAt,
  uniqueBy
} from './read-recorded.ts'

const nameOf = (host: unknown): string | undefined =>
  textAt(host, 'name') ?? textAt(host, 'host_name')

const booleanAt = (host: unknown, path: string): boolean | undefined => {
  const found = at(host, path)
  return typeof found === 'boolean' ? found : undefined
}

const listHosts = operation({
  own: ['start', 'count', 'include_muted_hosts_data', 'include_hosts_metadata'].map(
    name => `query.${name}`
  ),
  drive: (account, { interaction: { request, response } }) =>
    account.hosts({
      filter: textAt(request.query, 'filter') ?? '',
      limit: Math.max(1, listAt(response.body, 'host_list').length)
    }),
  refuses({ interaction: { response } }) {
    const hosts = at(response.body, 'host_list')
    if (!Array.isArray(hosts)) return 'garbage'
    return garbageUnless(hosts.length === 0 || hosts.some(host => nameOf(host) !== undefined))
  },
  verify({ rows }, { interaction: { response } }) {
    const recorded = uniqueBy(listAt(response.body, 'host_list'), nameOf)
    assert.deepEqual(
      rows.map(row => [row.name, row.up, row.muted, row.lastReported, row.metrics.cpu]),
      recorded.map(host => [
        nameOf(host),
        booleanAt(host, 'up'),
        booleanAt(host, 'is_muted'),
        numberAt(host, 'last_reported_time'),
        numberAt(host, 'metrics.cpu')
      ])
    )
    for (const [n, row] of rows.entries()) {
      const tags = Object.values(objectOf(at(recorded[n], 'tags_by_source'))).flat()
      assert.deepEqual(row.tags.toSorted(), textsAt({ tags }, 'tags'))
      assert.deepEqual(row.apps.toSorted(), textsAt(recorded[n], 'apps'))
    }
  }
})

const hostTotals = operation({
  drive(account, { interaction: { request }, recording }) {
    const from = instantOf(request.query['from'], recording.at)
    return account.hostTotals(from === undefined ? {} : { from: epochMs(from) })
  },
  refuses: ({ interaction: { response } }) =>
    garbageUnless(
      numberAt(response.body, 'total_up') !== undefined &&
        numberAt(response.body, 'total_active') !== undefined
    ),
  verify: (totals, { interaction: { response } }) =>
    assert.deepEqual(totals, {
      up: at(response.body, 'total_up'),
      active: at(response.body, 'total_active')
    })
})

const getHostTags = operation({
  drive: (account, { interaction }) => account.hostTags(lastPart(interaction)),
  refuses: ({ interaction: { response } }) =>
    garbageUnless(Array.isArray(at(response.body, 'tags'))),
  verify: (tags, { interaction: { response } }) =>
    assert.deepEqual(tags.toSorted(), textsAt(response.body, 'tags'))
})

const listHostTags = operation({
  drive: account => account.allHostTags(),
  refuses({ interaction: { response } }) {
    const tags = at(response.body, 'tags')
    return garbageUnless(typeof tags === 'object' && tags !== null && !Array.isArray(tags))
  },
  verify(byHost, { interaction: { response } }) {
    const recorded = Object.entries(objectOf(at(response.body, 'tags'))).flatMap(([tag, hosts]) =>
      textsAt({ hosts }, 'hosts').map(host => `${host} ${tag}`)
    )
    const pairs = [...byHost].flatMap(([host, tags]) => tags.map(tag => `${host} ${tag}`))
    assert.deepEqual(pairs.toSorted(), recorded.toSorted())
  }
})

/** Recorded hosts and their tags. */
export const hostOperations: Readonly<Record<string, Operation>> = {
  'v1.HostsApi.listHosts': listHosts,
  'v1.HostsApi.getHostTotals': hostTotals,
  'v1.TagsApi.getHostTags': getHostTags,
  'v1.TagsApi.listHostTags': listHostTags
}
