import { redact } from '../../../core/index.ts'
import type { DatadogSnapshot } from './snapshot.ts'

const email = /[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8}/gi
const ipv4 = /(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])/g
// Four groups at least: a time of day has three. Hardware addresses go the same way.
const ipv6 =
  /(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])|(?<![\w:])(?:[0-9a-f]{1,4}:){1,6}:(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){0,5})?(?![\w:])/gi

/**
 * A snapshot that may leave the house: secrets are gone, e-mail and network addresses are numbered, the same one always
 * alike, so that what belongs together still does. Host names stay unless `anonymise`.
 */
export function redactSnapshot(
  snapshot: Omit<DatadogSnapshot, 'redacted'>,
  anonymise: boolean
): DatadogSnapshot {
  const hosts = anonymise ? hostNames(snapshot) : new Map<string, string>()
  const counted = { emails: numbered('email'), addresses: numbered('address') }
  let text = redact(JSON.stringify(snapshot))
    .replace(email, counted.emails.name)
    .replace(ipv4, counted.addresses.name)
    .replace(ipv6, counted.addresses.name)
  for (const [name, alias] of hosts)
    text = text.replace(
      new RegExp(`(?<![\\w-])${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-])`, 'gi'),
      alias
    )
  const { calls, ...rest } = JSON.parse(text) as DatadogSnapshot
  return {
    ...rest,
    redacted: {
      emails: counted.emails.count(),
      addresses: counted.addresses.count(),
      hosts: new Set(hosts.values()).size
    },
    calls
  }
}

/** `<email-1>`, `<email-2>`, …: a number for each distinct text. */
function numbered(what: string): { name(text: string): string; count(): number } {
  const known = new Map<string, number>()
  return {
    count: () => known.size,
    name(text) {
      const number = known.get(text.toLowerCase()) ?? known.size + 1
      known.set(text.toLowerCase(), number)
      return `<${what}-${number}>`
    }
  }
}

/**
 * Every host named in a field or a tag, long and short form, the longest first so that no name is cut by a shorter
 * one.
 */
function hostNames(snapshot: Omit<DatadogSnapshot, 'redacted'>): Map<string, string> {
  const found = new Set<string>()
  const add = (name: unknown): void => {
    if (typeof name === 'string' && name.length > 1) found.add(name)
  }
  const tags = (list: readonly string[]): void => {
    for (const tag of list) if (tag.startsWith('host:')) add(tag.slice(5))
  }
  add(snapshot.alert['hostname'])
  for (const call of snapshot.calls) {
    if (call.call === 'hosts')
      for (const row of call.rows) {
        add(row.name)
        tags(row.tags)
      }
    if (call.call === 'logs' || call.call === 'events' || call.call === 'spans')
      for (const row of call.rows) {
        add(row.host)
        tags(row.tags)
      }
    if (call.call === 'metric') for (const row of call.rows) tags(row.scope.split(','))
  }
  const aliases = new Map<string, string>()
  const byShort = new Map<string, string>()
  for (const name of [...found].toSorted()) {
    const short = name.split('.')[0] ?? name
    const alias = byShort.get(short) ?? `host-${byShort.size + 1}`
    byShort.set(short, alias)
    aliases.set(name, alias)
    if (short.length > 1) aliases.set(short, alias)
  }
  return new Map([...aliases].toSorted((a, b) => b[0].length - a[0].length))
}
