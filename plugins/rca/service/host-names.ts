import { isIP } from 'node:net'

/** The part of a name before the domain; an address has no parts. */
export const shortHost = (host: string): string =>
  isIP(host) > 0 ? host : (host.split('.')[0] ?? host)

/** Whether two names are one host: the same, or one of them is the other without its domain. */
export function isSameHost(left: string, right: string): boolean {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()]
  if (a === b) return true
  return shortHost(a) === b || shortHost(b) === a
}

/** A search for one host by its names, none of them the beginning of another host's. */
export function hostSearch(host: string): string {
  const short = shortHost(host)
  if (isIP(host) > 0 || !/^[\w.-]+$/.test(host))
    return `host:${/^[\w.-]+$/.test(host) ? host : `"${host.replace(/["\\]/g, '')}"`}`
  return short === host ? `host:(${host} OR ${host}.*)` : `host:(${host} OR ${short})`
}
