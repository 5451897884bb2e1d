import { createHash } from 'node:crypto'
import type { ChannelSettings } from '../config.ts'
import type { Channel } from '../contract.ts'
import { post } from '../service/post.ts'

const maxSummary = 1_024

/** PagerDuty's Events API v2: one incident a problem by its dedup key, resolved on recovery. */
export const pagerduty = ({ name, routing_key, url }: ChannelSettings['pagerduty']): Channel => {
  const send: Channel['send'] = async (message, { signal }) => {
    const { key, state, title, lines, links, severity, service, account, at } = message
    const body = {
      routing_key,
      event_action: state === 'resolved' ? 'resolve' : 'trigger',
      dedup_key: createHash('sha256').update(key).digest('hex'),
      payload: {
        summary: [title, ...lines.slice(1, 2)].join(': ').slice(0, maxSummary),
        source: service ?? account ?? 'datadog',
        severity,
        timestamp: new Date(at).toISOString(),
        custom_details: { lines }
      },
      links: links.map(({ label, url: href }) => ({ href, text: label })),
      client: 'Rayne'
    }
    const target = url ?? 'https://events.pagerduty.com/v2/enqueue'
    await post(target, JSON.stringify(body), { 'content-type': 'application/json' }, signal)
    // Known by its key, so that whatever comes next is told to the same incident.
    return body.dedup_key
  }
  return {
    name,
    kind: 'pagerduty',
    send,
    update: async (_, message, context) => void (await send(message, context))
  }
}
