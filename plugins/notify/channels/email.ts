import { errorText, RayneError, secondMs } from '../../../core/index.ts'
import type { ChannelSettings } from '../config.ts'
import { notifyErrors, type Channel, type Message } from '../contract.ts'

const waitMs = 10 * secondMs

/** E-mail over SMTP; every message of one problem stands in one conversation. */
export function email({ name, smtp_url, from, to }: ChannelSettings['email']): Channel {
  const deliver = async (message: Message, id: string, first: string): Promise<string> => {
    const { createTransport } = await import('nodemailer')
    const transport = createTransport(smtp_url, {
      connectionTimeout: waitMs,
      greetingTimeout: waitMs,
      socketTimeout: waitMs,
      disableFileAccess: true,
      disableUrlAccess: true
    } as object)
    const messageId = `<${id}@rayne.invalid>`
    try {
      await transport.sendMail({
        from,
        to: [...to],
        subject: subjectOf(message),
        text: [
          ...message.lines,
          '',
          ...message.links.map(({ label, url }) => `${label}: ${url}`)
        ].join('\n'),
        messageId,
        ...(first === '' ? {} : { inReplyTo: first, references: [first] }),
        headers: { 'Auto-Submitted': 'auto-generated' }
      })
      return first === '' ? messageId : first
    } catch (error) {
      const code = (error as { responseCode?: number }).responseCode ?? 0
      const kind = code >= 500 ? 'channel-refused' : 'channel-unavailable'
      throw new RayneError({
        code: notifyErrors[kind],
        message: `the mail server did not take the message: ${errorText(error)}`,
        cause: error
      })
    } finally {
      transport.close()
    }
  }
  return {
    name,
    kind: 'email',
    send: (message, { id }) => deliver(message, id, ''),
    update: async (reference, message, { id }) => void (await deliver(message, id, reference))
  }
}

const subjectOf = ({ title, state, severity }: Message): string =>
  `[${state === 'resolved' ? 'RESOLVED' : severity}] ${title}`.replace(/\s+/g, ' ').slice(0, 200)
