import { Webhook } from 'standardwebhooks'
import type { ChannelSettings } from '../config.ts'
import type { Channel } from '../contract.ts'
import { post } from '../service/post.ts'

/** Any receiver of Standard Webhooks: signed, with an id that stays the same for every try. */
export const webhook = ({ name, url, secret }: ChannelSettings['webhook']): Channel => ({
  name,
  kind: 'webhook',
  async send(message, { id, signal }) {
    const at = new Date()
    const { state, key, at: since, monitorType, ...words } = message
    const body = JSON.stringify({
      type: `rayne.${state}`,
      timestamp: at.toISOString(),
      data: { ...words, key, since: new Date(since).toISOString(), monitor_type: monitorType }
    })
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': new Webhook(secret).sign(id, at, body)
    }
    await post(url, body, headers, signal)
    return undefined
  }
})
