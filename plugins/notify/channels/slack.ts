import { RayneError } from '../../../core/index.ts'
import type { ChannelSettings } from '../config.ts'
import { notifyErrors, type Channel, type Message } from '../contract.ts'
import { post } from '../service/post.ts'

const maxText = 2_900
const waits = ['ratelimited', 'internal_error', 'service_unavailable', 'fatal_error']

/** Slack: with a bot's token one message that is edited, with an incoming webhook one a change. */
export function slack(settings: ChannelSettings['slack']): Channel {
  const { name, webhook_url: webhookUrl, token = '', channel = '' } = settings
  const api = settings.api_url ?? 'https://slack.com/api'
  if (webhookUrl !== undefined)
    return {
      name,
      kind: 'slack',
      async send(message, { signal }) {
        await post(webhookUrl, JSON.stringify(wordsOf(message)), json, signal)
        return undefined
      }
    }
  const call = async (method: string, body: object, signal: AbortSignal): Promise<Said> => {
    const headers = { ...json, authorization: `Bearer ${token}` }
    const { text } = await post(`${api}/${method}`, JSON.stringify(body), headers, signal)
    return readAnswer(text)
  }
  return {
    name,
    kind: 'slack',
    async send(message, { signal }) {
      const said = await call('chat.postMessage', { channel, ...wordsOf(message) }, signal)
      return said.channel && said.ts ? JSON.stringify([said.channel, said.ts]) : undefined
    },
    async update(reference, message, { signal }) {
      const [place, ts] = JSON.parse(reference) as [string, string]
      await call('chat.update', { channel: place, ts, ...wordsOf(message) }, signal)
    }
  }
}

const json = { 'content-type': 'application/json; charset=utf-8' }
interface Said {
  readonly ok?: boolean
  readonly error?: string
  readonly channel?: string
  readonly ts?: string
}

/** Slack says with 200 what went wrong. */
function readAnswer(text: string): Said {
  let said: Said = {}
  try {
    said = JSON.parse(text) as Said
  } catch {
    // Said below: what is no JSON is no answer of Slack.
  }
  if (said.ok) return said
  const reason = said.error ?? 'something that is no answer of Slack'
  const code =
    said.error === undefined || waits.includes(said.error)
      ? notifyErrors['channel-unavailable']
      : notifyErrors['channel-refused']
  throw new RayneError({ code, message: `Slack answered: ${reason.slice(0, 100)}` })
}

/** Text of others: none of it is a mention or a link. */
const plain = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function wordsOf({ title, lines, links, state }: Message): object {
  const mark = {
    firing: ':rotating_light:',
    analysed: ':mag:',
    failed: ':warning:',
    resolved: ':white_check_mark:',
    test: ':bell:'
  }[state]
  const head = `${mark} ${state === 'resolved' ? '[RESOLVED] ' : ''}${plain(title)}`
  const next = links.map(
    ({ label, url }) => `<${url.replace(/[<>|]/g, encodeURIComponent)}|${plain(label)}>`
  )
  const body = [`*${head.replaceAll('*', '')}*`, ...lines.map(plain), next.join(' · ')]
    .filter(Boolean)
    .join('\n')
  const blocks = [
    { type: 'section', text: { type: 'mrkdwn', text: body.slice(0, maxText), verbatim: true } }
  ]
  return { text: head.slice(0, 300), blocks, unfurl_links: false, unfurl_media: false }
}
