import type { DatadogAccount, TimeWindow } from '../../plugins/datadog-proxy/contract.ts'

type Site = Pick<DatadogAccount, 'appUrl'>

/** A page of Datadog for people, on the account's own host. */
export function pageOf(
  { appUrl }: Site,
  path: string,
  query: Readonly<Record<string, string | number>> = {}
): string {
  const url = new URL(`${appUrl}${path}`)
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value))
  return url.href
}

/** A page that takes its window as `from_ts` and `to_ts`. */
export const timedPage = (
  site: Site,
  path: string,
  { from, to }: TimeWindow,
  query: Readonly<Record<string, string | number>> = {}
): string => pageOf(site, path, { ...query, from_ts: from, to_ts: to, live: 'false' })

/** A page that takes its window as `start` and `end`. */
export const spannedPage = (
  site: Site,
  path: string,
  { from, to }: TimeWindow,
  query: Readonly<Record<string, string | number>> = {}
): string => pageOf(site, path, { ...query, start: from, end: to })
