import { lookup, type LookupAddress } from 'node:dns'
import { request as plainRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import { errorText, RayneError, secondMs } from '../../../core/index.ts'
import { notifyErrors } from '../contract.ts'

const answerMs = 10 * secondMs
const maxAnswerBytes = 65_536

/** Addresses that hand out a machine's credentials, or are nobody's: nothing is ever sent there. */
const forbidden = new BlockList()
for (const [net, prefix] of [
  ['169.254.0.0', 16],
  ['0.0.0.0', 8],
  ['224.0.0.0', 4],
  ['100.100.100.200', 32]
] as const)
  forbidden.addSubnet(net, prefix, 'ipv4')
for (const [net, prefix] of [
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128]
] as const)
  forbidden.addSubnet(net, prefix, 'ipv6')

/** Whether an address is one that nothing is sent to, however it is written. */
export function isForbidden(address: string): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  const plain = mapped ?? bare
  return forbidden.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}

const refuse = (host: string): RayneError =>
  new RayneError({
    code: notifyErrors['address-forbidden'],
    message: `'${host}' is an address that nothing is sent to`
  })

/** The check is of the very address that is connected to, so that a name cannot change its mind in between. */
const guardedLookup: LookupFunction = (host, options, done) =>
  lookup(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = found ?? []
    const bad = found?.find(({ address }) => isForbidden(address))
    if (error ?? bad ?? !first) return done(error ?? refuse(host), '')
    return options.all ? done(null, found) : done(null, first?.address ?? '', first?.family)
  })

export interface Posted {
  readonly status: number
  readonly text: string
}

/**
 * Posts to the service of a channel: 10 s at most, 64 KB of its answer at most, no redirect is followed. Throws
 * `channel-unavailable` where waiting may help (with the seconds the service asks for), else `channel-refused`.
 */
export async function post(
  url: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<Posted> {
  const target = new URL(url)
  if (isIP(target.hostname.replace(/^\[|\]$/g, '')) !== 0 && isForbidden(target.hostname))
    throw refuse(target.hostname)
  const answer = await exchange(target, body, headers, signal).catch((error: unknown) => {
    if (error instanceof RayneError) throw error
    throw unavailable(`${target.host} does not answer: ${errorText(error)}`, undefined, error)
  })
  const { statusCode: status = 0, headers: said } = answer.response
  if (status >= 200 && status < 300) return { status, text: answer.text }
  const what = `${target.host} answered ${status}: ${answer.text.replace(/\s+/g, ' ').slice(0, 200)}`
  if (status >= 300 && status < 400)
    throw refused(`${target.host} answered ${status} with a redirect, which is not followed`)
  if (status === 408 || status === 429 || status >= 500)
    throw unavailable(what, retryAfter(said['retry-after']))
  throw refused(what)
}

const refused = (message: string): RayneError =>
  new RayneError({ code: notifyErrors['channel-refused'], message })

const unavailable = (message: string, retryAfterSeconds?: number, cause?: unknown): RayneError =>
  new RayneError({
    code: notifyErrors['channel-unavailable'],
    message,
    details: retryAfterSeconds === undefined ? {} : { retryAfterSeconds },
    cause
  })

/** Seconds to wait, at most a day; dates are understood too. */
function retryAfter(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const seconds = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / secondMs
  return Number.isFinite(seconds) ? Math.min(86_400, Math.max(1, Math.ceil(seconds))) : undefined
}

/** The name and password that stand in an address. */
function loginOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {}
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
}

function exchange(
  target: URL,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal
): Promise<{ response: IncomingMessage; text: string }> {
  const bytes = Buffer.from(body)
  const options: RequestOptions = {
    method: 'POST',
    lookup: guardedLookup,
    signal: AbortSignal.any([signal, AbortSignal.timeout(answerMs)]),
    headers: {
      'user-agent': 'rayne',
      'content-length': bytes.length,
      ...loginOf(target),
      ...headers
    }
  }
  return new Promise((resolve, reject) => {
    const send = target.protocol === 'https:' ? tlsRequest : plainRequest
    const outgoing = send(target, options, response => {
      const parts: Buffer[] = []
      let size = 0
      response.on('data', (part: Buffer) => {
        size += part.length
        if (size <= maxAnswerBytes) parts.push(part)
        else response.destroy()
      })
      response.once('close', () =>
        resolve({ response, text: Buffer.concat(parts).toString('utf8') })
      )
      response.once('error', () => {})
    })
    outgoing.once('error', reject)
    outgoing.end(bytes)
  })
}
