import type { ChannelSettings } from '../config.ts'
import type { Channel, Message } from '../contract.ts'
import { post } from '../service/post.ts'

/** Microsoft Teams through a workflow that takes an adaptive card. */
export const teams = ({ name, url }: ChannelSettings['teams']): Channel => ({
  name,
  kind: 'teams',
  async send(message, { signal }) {
    const card = {
      type: 'message',
      attachments: [
        { contentType: 'application/vnd.microsoft.card.adaptive', content: cardOf(message) }
      ]
    }
    await post(url, JSON.stringify(card), { 'content-type': 'application/json' }, signal)
    return undefined
  }
})

const colours = { critical: 'Attention', warning: 'Warning', info: 'Good' } as const

/** Text of others in text runs, which know no Markdown. */
const run = (text: string, more: object = {}): object => ({
  type: 'RichTextBlock',
  inlines: [{ type: 'TextRun', text: text.slice(0, 5_000), ...more }]
})

const cardOf = ({ title, lines, links, state, severity }: Message): object => ({
  $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
  type: 'AdaptiveCard',
  version: '1.4',
  body: [
    run(state === 'resolved' ? `[RESOLVED] ${title}` : title, {
      weight: 'Bolder',
      size: 'Large',
      color: colours[severity]
    }),
    ...lines.map(line => run(line))
  ],
  actions: links.map(({ label, url }) => ({ type: 'Action.OpenUrl', title: label, url }))
})
