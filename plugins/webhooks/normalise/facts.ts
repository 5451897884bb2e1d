import { createHash } from 'node:crypto'
import { cut, line } from './clean.ts'
import { names } from './names.ts'
import { scalarText, type Reader } from './reader.ts'
import { tagValues } from './tags.ts'
import type { Prose } from './prose.ts'

/** Cuts long ids to 128 characters with part of their hash, so that two long ids stay two. */
export function opaque(id: string | null): string | null {
  if (id === null || id === '0') return null
  if (id.length <= 128) return id
  return `${cut(id, 110).slice(0, -1)}~${createHash('sha256').update(id).digest('hex').slice(0, 16)}…`
}

/** Ids end up in paths and queries: one that could leave its place there is no id. */
export const safeId = (id: string | null): string | null =>
  id !== null && /^[\w:=+@~…-][\w.:=+@~…-]*$/u.test(id) ? id : null

/** The monitor's number: from its own field, a link to its page, Datadog's alert id, or the text. */
export function readMonitorId(reader: Reader, prose: () => Prose): string | null {
  return (
    reader.find(names.monitorId, digits) ??
    reader.find(names.link, inLink) ??
    reader.find(names.datadogAlertId, digits) ??
    reader.find(names.description, inLink) ??
    prose().monitorId
  )
}

const digits = (value: unknown): string | null =>
  /^0*([1-9]\d{0,39})(?:\.0+)?$/.exec(scalarText(value)?.trim() ?? '')?.[1] ?? null

const inLink = (value: unknown): string | null =>
  typeof value === 'string'
    ? (/\bmonitors[/#]0*([1-9]\d{0,39})(?!\d)/.exec(value)?.[1] ?? null)
    : null

/** The organisation's id, by which a webhook finds its account. */
export const readOrgId = (reader: Reader): string | null => opaque(reader.text(names.orgId, 10_000))

/** Datadog's $EVENT_TYPE names the kind of monitor, a plain `alert` does not. */
export function readMonitorType(reader: Reader): string | null {
  const own = reader.text(names.monitorType, 128)
  if (own !== null) return own
  const eventType = reader.text(names.eventType, 128)
  const isMonitor = /_(?:alert|monitor|check)$|^service_check$/.test(eventType ?? '')
  return isMonitor ? eventType : null
}

/** A fact from the tags, else from the scope; where the tags disagree the scope says which of them triggered. */
export function facet(
  key: string,
  tags: readonly string[],
  scope: readonly string[]
): string | null {
  const tagged = tagValues(tags, key)
  const scoped = tagValues(scope, key)
  const value =
    tagged.length > 1
      ? (tagged.find(tag => scoped.includes(tag)) ?? tagged[0])
      : (tagged[0] ?? scoped[0])
  return value === undefined || value === '*' ? null : line(value, 250)
}

const alone = (sources: readonly string[]): (readonly string[])[] => sources.map(source => [source])
const linkSources = alone(names.link)
const snapshotSources = alone(names.snapshot)

export const readLink = (reader: Reader): string | null => webAddress(reader, linkSources)
export const readSnapshot = (reader: Reader): string | null => webAddress(reader, snapshotSources)

/** The first source that holds a web address; a source that holds something else does not hide the next. */
function webAddress(reader: Reader, sources: readonly (readonly string[])[]): string | null {
  for (const source of sources) {
    const text = reader.text(source, 2_048)
    if (text !== null && isWebAddress(text)) return text
  }
  return null
}

const isWebAddress = (text: string): boolean =>
  /^https?:\/\/[^\s"'<>\\]+$/i.test(text) && !text.endsWith('…') && URL.canParse(text)
