import type { IncomingHttpHeaders } from 'node:http'

const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/
const forwarded = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip'
] as const

/**
 * Why a request must not be answered, or undefined: only programs and pages of this machine speak to the simulator,
 * none of them through a name that was rebound to this address, through a proxy, or from another page.
 */
export function foreignRequest(headers: IncomingHttpHeaders): string | undefined {
  const host = headers.host ?? ''
  if (!loopbackHost.test(host)) return `the Host '${host}' is not this machine's loopback address`
  const origin = headers.origin
  if (origin !== undefined && origin !== `http://${host}`)
    return `a page of '${origin}' may not call this address`
  const site = headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site')
    return 'a page of another address may not call this one'
  const proxy = forwarded.find(name => headers[name] !== undefined)
  return proxy && `a request that was forwarded ('${proxy}') is not one of this machine`
}

/** True when a person followed a link to here: the browser shows the answer and gives it to no other page. */
export const isNavigation = (method: string, headers: IncomingHttpHeaders): boolean =>
  method === 'GET' &&
  headers['sec-fetch-mode'] === 'navigate' &&
  headers['sec-fetch-dest'] === 'document' &&
  headers.origin === undefined
