import type { ChannelSettings } from '../config.ts'
import type { Channel, Message } from '../contract.ts'
import { post } from '../service/post.ts'

const urgency = { critical: 'critical', warning: 'normal', info: 'low' } as const

/** The desktop server of the first version and of `rayne notify-server`: `{title, message, urgency}`. */
export const desktop = ({ name, url }: ChannelSettings['desktop']): Channel => ({
  name,
  kind: 'desktop',
  async send(message, { signal }) {
    const body = {
      title: titleOf(message),
      message: [...message.lines, ...message.links.slice(0, 1).map(link => link.url)].join('\n'),
      urgency: urgency[message.severity]
    }
    await post(url, JSON.stringify(body), { 'content-type': 'application/json' }, signal)
    return undefined
  }
})

/** As the first version says them. */
function titleOf({ state, title, monitorType }: Message): string {
  const type = monitorType?.toLowerCase() ?? 'alert_monitor'
  const mark = { firing: '💣', analysed: '📓', failed: '⚠️', resolved: '✅', test: '🔔' }[state]
  return `${mark} [${/watchdog/i.test(`${title} ${type}`) ? 'watchdog' : type}] ${title}`
}
