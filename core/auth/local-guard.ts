import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { RayneError } from '../errors.ts'

const forwarded = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip'
] as const

/**
 * Refuses what is not asked by a program or a page of this machine's own address: a name that was rebound to loopback,
 * a page of another origin that is not allowed to, or a proxy that lets others in.
 */
export function guardLocal({ method, headers }: IncomingMessage, isAllowed = false): void {
  if (!isLoopbackName(headers.host))
    throw new RayneError({
      code: 'foreign-host',
      message:
        'this server answers on loopback only: use http://127.0.0.1, ' +
        'or set RAYNE_AUTH=required and a public HOST'
    })
  if (!isAllowed && isForeignPage(headers) && !isNavigation(method, headers))
    throw new RayneError({
      code: 'foreign-origin',
      message: 'a page of another origin may not use a local server'
    })
  const proxy = forwarded.find(name => headers[name] !== undefined)
  if (proxy !== undefined)
    throw new RayneError({
      code: 'forwarded',
      message:
        `the request was forwarded ('${proxy}'), and a local server asks nobody who they are: ` +
        'set RAYNE_AUTH=required before a proxy or tunnel leads to it'
    })
}

function isForeignPage({ origin, host, ...headers }: IncomingHttpHeaders): boolean {
  if (origin !== undefined) return !isOrigin(origin, 'http', host)
  const site = headers['sec-fetch-site']
  return site === 'cross-site' || site === 'same-site'
}

/** A link that a person followed: the browser shows the answer and gives it to no page. */
const isNavigation = (method: string | undefined, headers: IncomingHttpHeaders): boolean =>
  method === 'GET' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document' &&
  headers.origin === undefined

/** Whether an Origin is this scheme and host, port included. */
export const isOrigin = (
  origin: string,
  scheme: 'http' | 'https',
  host: string | undefined
): boolean =>
  URL.canParse(origin) &&
  URL.canParse(`${scheme}://${host}`) &&
  new URL(origin).origin === new URL(`${scheme}://${host}`).origin

const isLoopbackName = (host: string | undefined): boolean =>
  host !== undefined && /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i.test(host)
