import type { ChannelSettings } from '../config.ts'
import type { Channel } from '../contract.ts'
import { post } from '../service/post.ts'

const type = { critical: 'failure', warning: 'warning', info: 'info' } as const

/** An Apprise API gateway, which knows the long tail of services; the address is its `/notify/<key>`. */
export const apprise = ({ name, url }: ChannelSettings['apprise']): Channel => ({
  name,
  kind: 'apprise',
  async send({ title, lines, links, severity, state }, { signal }) {
    const body = {
      title: state === 'resolved' ? `[RESOLVED] ${title}` : title,
      body: [...lines, ...links.map(link => `${link.label}: ${link.url}`)].join('\n'),
      type: state === 'resolved' ? 'success' : type[severity],
      format: 'text'
    }
    await post(url, JSON.stringify(body), { 'content-type': 'application/json' }, signal)
    return undefined
  }
})
