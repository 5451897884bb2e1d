import type { ChannelSettings } from '../config.ts'
import type { Channel } from '../contract.ts'
import { post } from '../service/post.ts'

const priority = { critical: 5, warning: 3, info: 2 } as const

/** ntfy, published as JSON to the root of its server. */
export const ntfy = ({ name, url, topic, token }: ChannelSettings['ntfy']): Channel => ({
  name,
  kind: 'ntfy',
  async send({ title, lines, links, severity, state }, { signal }) {
    const [first] = links
    const body = {
      topic,
      title: state === 'resolved' ? `[RESOLVED] ${title}` : title,
      message: lines.join('\n'),
      priority: priority[severity],
      tags: [state],
      ...(first ? { click: first.url } : {}),
      actions: links.slice(0, 3).map(link => ({ action: 'view', label: link.label, url: link.url }))
    }
    const login: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
    const headers = { 'content-type': 'application/json', ...login }
    await post(url, JSON.stringify(body), headers, signal)
    return undefined
  }
})
