import { execFile } from 'node:child_process'
import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  bootError,
  errorCode,
  errorText,
  guardLocal,
  RayneError,
  readBytes,
  secondMs
} from '../../../core/index.ts'
import { notifyErrors } from '../contract.ts'

const maxBodyBytes = 65_536
const showMs = 5 * secondMs
const maxTitle = 300
const maxText = 4_000
const urgencies = ['critical', 'normal', 'low']

/** How a pop-up is shown; `notify-send` where the machine has it. */
export type Show = (args: readonly string[]) => Promise<void>

/** Shows through `notify-send`, without a shell, 5 s at most. */
const notifySend: Show = args =>
  new Promise((resolve, reject) => {
    execFile('notify-send', args, { timeout: showMs }, error => {
      if (!error) return resolve()
      const missing = errorCode(error) === 'ENOENT'
      const why = missing
        ? 'this machine has no notify-send: install libnotify (Debian: libnotify-bin)'
        : `notify-send failed: ${errorText(error)}`
      reject(new RayneError({ code: notifyErrors['no-notifier'], message: why }))
    })
  })

/** The arguments of `notify-send` for a body of the wire contract; throws `invalid-input` naming the field. */
export function popupArguments(body: unknown): string[] {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw refused('the body must be a JSON object with title, message and urgency')
  const given = body as Record<string, unknown>
  const title = textOf(given, 'title', 'Datadog Webhook').slice(0, maxTitle)
  const message = textOf(given, 'message', '').slice(0, maxText)
  const asked = textOf(given, 'urgency', 'critical')
  const colour = textOf(given, 'frcolor', '')
  const frame = /^#(?:[\da-f]{3}|[\da-f]{6})$/i.test(colour) ? colour : '#ff8c00'
  const urgency = urgencies.includes(asked) ? asked : 'critical'
  return [
    `--urgency=${urgency}`,
    '--app-name=Rayne',
    '--hint=string:x-dunst-stack-tag:rayne',
    '--hint=string:fgcolor:#ffffff',
    '--hint=string:bgcolor:#1a1a1a',
    `--hint=string:frcolor:${frame}`,
    // What follows is no option, whatever it begins with.
    '--',
    title,
    message === '' ? title : message
  ]
}

function textOf(body: Record<string, unknown>, field: string, absent: string): string {
  const value = body[field]
  if (value === undefined || value === null) return absent
  if (typeof value !== 'string') throw refused(`/${field} must be a text`)
  return value.replaceAll('\0', '')
}

const refused = (message: string): RayneError => new RayneError({ code: 'invalid-input', message })

export interface DesktopServerOptions {
  readonly port: number
  readonly bind: string
  /** Asked for as a bearer token or as the password of HTTP basic; needed wherever others reach the port. */
  readonly token?: string | undefined
  readonly show?: Show
}

/** The desktop server of the first version: `POST {title, message, urgency}` shows a pop-up, `GET` says it is there. */
export async function startDesktopServer({
  port,
  bind,
  token,
  show = notifySend
}: DesktopServerOptions): Promise<{ url: string; close(): Promise<void> }> {
  const isLocal = /^(?:127\.|::1$|localhost$)/.test(bind)
  if (!isLocal && token === undefined)
    throw bootError(
      `notify-server: others reach ${bind}, and anybody could write on this screen: ` +
        'give --token TEXT, and TEXT as the password in the address that senders use'
    )
  const server = createServer((request, response) => {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'no-store'
      })
      response.end(JSON.stringify(body))
    }
    serve(request, { isLocal, token, show }).then(
      body => answer(200, body),
      (error: unknown) => {
        const status = error instanceof RayneError ? error.status : 500
        answer(status, { status: 'error', message: errorText(error) })
      }
    )
  })
  server.requestTimeout = 10 * secondMs
  server.maxConnections = 100
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, bind, () => resolve())
  }).catch((error: unknown) => {
    throw bootError(`notify-server cannot listen on ${bind}:${port}: ${errorText(error)}`)
  })
  const { port: own } = server.address() as AddressInfo
  return {
    url: `http://${bind.includes(':') ? `[${bind}]` : bind}:${own}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

async function serve(
  request: IncomingMessage,
  { isLocal, token, show }: { isLocal: boolean; token: string | undefined; show: Show }
): Promise<object> {
  if (isLocal) guardLocal(request)
  if (token !== undefined && !isGiven(request, token))
    throw new RayneError({ code: 'unauthenticated', message: 'the token is missing or wrong' })
  if (request.method === 'GET') return { status: 'ok', service: 'notify-server' }
  if (request.method !== 'POST')
    throw new RayneError({
      code: 'method-not-allowed',
      message: `POST {title, message, urgency}, not ${request.method}`
    })
  const text = (await readBytes(request, maxBodyBytes)).toString('utf8')
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    throw refused('the body is not JSON: send {"title": …, "message": …, "urgency": "critical"}')
  }
  await show(popupArguments(body))
  return { status: 'ok', message: 'Notification sent' }
}

function isGiven({ headers }: IncomingMessage, token: string): boolean {
  const [scheme = '', word = ''] = (headers.authorization ?? '').split(' ')
  const given = /^basic$/i.test(scheme)
    ? Buffer.from(word, 'base64')
        .toString('utf8')
        .replace(/^[^:]*:/, '')
    : word
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}
