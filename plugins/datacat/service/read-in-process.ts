import { compile } from '../../../core/index.ts'
import type { SessionInShort, Sessions } from '../contract.ts'
import { readFilter } from '../wire/filter.ts'
import { List } from '../wire/schemas.ts'
import type { SessionReader } from './sessions.ts'
import { detailOut, eventOut, summaryOf } from './wire-out.ts'

const readList = compile(List)

/** Sessions for other plugins, through the same door as the wire. */
export const createReader = (sessions: SessionReader): Sessions => ({
  async find(filter, limit) {
    const given = Object.fromEntries(
      Object.entries(filter).filter(([, value]) => value !== undefined)
    )
    const { page: _, per_page: __, ...fields } = readList(given, 'query')
    const found = await sessions.list(readFilter(fields), { limit, offset: 0 })
    return {
      rows: found.sessions.map(({ session, lastBeat }) => inShort(summaryOf(session, lastBeat))),
      total: found.total
    }
  },
  async read(id, limit) {
    const detail = await sessions.detail(id)
    const { state, metrics, heartbeat: _, ...summary } = detailOut(detail)
    const from = Math.max(0, detail.session.events - limit)
    const events = await sessions.events(id, { from, limit })
    return { summary: inShort(summary), state, metrics, events: events.map(eventOut) }
  }
})

const inShort = (summary: ReturnType<typeof summaryOf>): SessionInShort => ({
  id: summary.id,
  status: summary.status,
  product: summary.product,
  version: summary.version,
  hostname: summary.hostname,
  created_at: summary.created_at,
  ended_at: summary.ended_at,
  last_heartbeat_at: summary.last_heartbeat_at,
  event_count: summary.event_count,
  metric_count: summary.metric_count
})
