import { isIP } from 'node:net'
import { RayneError } from '../../../../core/index.ts'
import { proxyErrors } from '../errors.ts'

/** Every Datadog site keys may be sent to; anything else is refused. */
export const sites = [
  'datadoghq.com',
  'us3.datadoghq.com',
  'us5.datadoghq.com',
  'ap1.datadoghq.com',
  'ap2.datadoghq.com',
  'uk1.datadoghq.com',
  'datadoghq.eu',
  'ddog-gov.com',
  'us2.ddog-gov.com'
] as const
type Site = (typeof sites)[number]

const isSite = (host: string): host is Site => (sites as readonly string[]).includes(host)
const refused = (message: string, field: string): RayneError =>
  new RayneError({
    code: proxyErrors['datadog-site-refused'],
    message,
    details: { errors: [{ pointer: `/body/${field}`, message }] }
  })

/** The allow-listed site in what a person pasted (site, API URL or app URL), or a 400 that lists the sites. */
export function resolveSite(pasted: string, field: 'site' | 'base_url' = 'site'): Site {
  const url = parse(pasted.trim())
  const host = url?.hostname.replace(/^(?:api|app)\./, '')
  if (!url || !host || url.username || url.password || url.port || !isSite(host)) {
    throw refused(
      `${JSON.stringify(pasted.slice(0, 100))} is not a Datadog site, so no key is sent ` +
        `there; use one of ${sites.join(', ')}`,
      field
    )
  }
  return host
}

/** Where the site's API answers. */
export const apiUrlOf = (site: Site): string => `https://api.${site}`

/** Where links for people point: the three oldest sites have an `app.` host, the regional ones have none. */
export const appUrlOf = (site: Site): string =>
  ['datadoghq.com', 'datadoghq.eu', 'ddog-gov.com'].includes(site)
    ? `https://app.${site}`
    : `https://${site}`

/** A simulator's address without trailing slash or `/api/v1`; refused unless it is on this machine. */
export function resolveLoopback(baseUrl: string): string {
  const url = parse(baseUrl.trim())
  if (!url || url.username || url.password || url.search || url.hash || !isLoopback(url.hostname)) {
    throw refused(
      `${JSON.stringify(baseUrl.slice(0, 100))} is not on this machine: a simulated ` +
        'account takes a loopback address such as http://127.0.0.1:8126',
      'base_url'
    )
  }
  return (
    url.origin +
    url.pathname.replace(/(?<!\/)\/+(?:api\/v[12]\/?)?$/, '').replace(/\/api\/v[12]$/, '')
  )
}

function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname === '[::1]' ||
    (isIP(hostname) === 4 && hostname.startsWith('127.'))
  )
}

function parse(text: string): URL | undefined {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`)
  return url && (url.protocol === 'https:' || url.protocol === 'http:') ? url : undefined
}
