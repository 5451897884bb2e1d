import { Type, type PluginApp } from '../../core/index.ts'
import { startDesktopServer } from './service/desktop-server.ts'

/** `rayne notify-server`: shows what is sent to it on this desktop. */
export function commands(app: PluginApp<unknown>): void {
  app.command({
    name: 'notify-server',
    summary: 'shows messages as pop-ups on this desktop',
    description:
      'Takes POST {title, message, urgency} and shows it with notify-send; NOTIFY_SERVER_URLS of ' +
      'the server names the addresses of such desktops.',
    standalone: true,
    options: Type.Object({
      port: Type.Integer({
        minimum: 0,
        maximum: 65_535,
        default: 9999,
        description: 'to listen on'
      }),
      bind: Type.String({
        default: '127.0.0.1',
        pattern: '^[0-9a-zA-Z.:]{1,100}$',
        title: 'address',
        description: 'to listen on; any but loopback needs --token'
      }),
      token: Type.Optional(
        Type.String({
          minLength: 16,
          maxLength: 200,
          title: 'text',
          description: 'senders give it as the password of the address'
        })
      )
    }),
    async run({ port, bind, token }, { say }) {
      const server = await startDesktopServer({ port, bind, token })
      say(`notify-server: ${server.url} shows what is posted to it; Ctrl-C ends it`)
      return { value: { url: server.url }, lines: [], close: () => server.close() }
    }
  })
}
