import { createHash } from 'node:crypto'
import { errorText } from '../../../core/index.ts'
import type { Alert } from '../contract.ts'
import { bound, emptyFields, limits, type Fields } from './bound.ts'
import { cut, line } from './clean.ts'
import { decode, parseJson, type Decoded, type Headers } from './decode.ts'
import { names } from './names.ts'
import { createReader, scalarText, type Reader } from './pick.ts'
import { readStatus } from './status.ts'
import { readTags, tagValues } from './tags.ts'
import { readTime } from './time.ts'
import { listUnresolved } from './unresolved.ts'

export { dedupeKey } from './dedupe.ts'

export interface Normalised {
  readonly alert: Alert
  /** The decoded payload within bounds, storable in jsonb, without prototypes. */
  readonly fields: Fields
}

/** Reads an alert out of any webhook body, whoever sent it; pure, never throws, linear in the body. */
export function normalise(raw: Uint8Array, headers: Headers): Normalised {
  try {
    return fromDecoded(decode(raw, headers))
  } catch (error) {
    return {
      alert: toAlert(emptyFields(), `not read: ${line(errorText(error), 200)}`),
      fields: emptyFields()
    }
  }
}

function fromDecoded({ value, problem }: Decoded): Normalised {
  const inner =
    typeof value === 'string' && /^[[{]/.test(value) && problem === null
      ? parseJson(value)
      : undefined
  const root = inner?.value === undefined ? { value, problem } : inner
  const kept = bound(root.value)
  const reason = root.problem ?? (kept.cut ? 'too large: left out values beyond the limits' : null)
  if (Array.isArray(kept.value)) {
    const fields = Object.assign(emptyFields(), { items: kept.value })
    const first = kept.value.find(
      (item): item is Fields => typeof item === 'object' && item !== null && !Array.isArray(item)
    )
    return {
      fields,
      alert: toAlert(
        first ?? emptyFields(),
        reason ?? `a list of ${kept.value.length}: the facts are of the first object`
      )
    }
  }
  if (typeof kept.value === 'object' && kept.value !== null)
    return { fields: kept.value as Fields, alert: toAlert(kept.value as Fields, reason) }
  const fields =
    root.value === null || root.value === undefined
      ? emptyFields()
      : Object.assign(emptyFields(), { text: kept.value })
  const alert = toAlert(fields, reason ?? 'not an object')
  return { fields, alert: { ...alert, title: alert.title ?? firstLine(kept.value) } }
}

/** Plain text has its first line for a title; broken JSON has none. */
const firstLine = (text: unknown): string | null =>
  typeof text === 'string' && !/^[[{]/.test(text)
    ? line(text.split('\n', 1)[0] ?? '', 1_000) || null
    : null

function toAlert(fields: Fields, problem: string | null): Alert {
  const reader = createReader(fields)
  const title = reader.title(names.title, 1_000)
  const scope = reader.text(names.scope, 4_000)
  const tags = readTags(reader.values(names.tags))
  const scopeTags = readTags([(scope ?? '').replace(/^\{(.*)\}$/, '$1')])
  return {
    ...readStatus(reader, title),
    title,
    message: reader.prose(names.message, limits.text),
    monitor_id: monitorId(reader),
    monitor_name: reader.title(names.monitorName, 1_000),
    monitor_type:
      reader.text(names.monitorType, 128) ?? monitorTypeOf(reader.text(names.eventType, 128)),
    alert_id: safeId(opaque(reader.text(names.alertId, 10_000))),
    cycle_key: opaque(reader.text(names.cycleKey, 10_000)),
    aggregation_key: opaque(reader.text(names.aggregationKey, 10_000)),
    scope,
    service: reader.text(names.service, 250) ?? facet('service', tags, scopeTags),
    host: reader.text(names.host, 250) ?? facet('host', tags, scopeTags),
    env: reader.text(names.env, 250) ?? facet('env', tags, scopeTags),
    metric: reader.text(names.metric, 500),
    query: reader.text(names.query, 10_000),
    priority: reader.text(names.priority, 64)?.replace(/^p(?=[1-5]$)/, 'P') ?? null,
    tags,
    org_id: opaque(reader.text(names.orgId, 10_000)),
    link: link(reader, linkSources),
    snapshot_url: link(reader, snapshotSources),
    at:
      reader
        .values(names.at)
        .map(readTime)
        .find(at => at !== null) ?? null,
    unresolved: listUnresolved(fields),
    parse_error: problem === null ? null : line(problem, 300)
  }
}

/** Cuts long ids to 128 characters with part of their hash, so that two long ids stay two. */
function opaque(id: string | null): string | null {
  if (id === null || id === '0') return null
  if (id.length <= 128) return id
  return `${cut(id, 110).slice(0, -1)}~${createHash('sha256').update(id).digest('hex').slice(0, 16)}…`
}

/** Ids end up in paths and queries: one that could leave its place there is no id. */
const safeId = (id: string | null): string | null =>
  id !== null && /^[\w:=+@~…-][\w.:=+@~…-]*$/u.test(id) ? id : null

function monitorId(reader: Reader): string | null {
  const links = [...reader.values(names.link)]
  return (
    digits(reader.values(names.monitorId)) ??
    inLink(links) ??
    digits(reader.values(names.datadogAlertId)) ??
    inLink(reader.values(names.description))
  )
}

function digits(values: readonly unknown[]): string | null {
  for (const value of values) {
    const found = /^0*([1-9]\d{0,39})(?:\.0+)?$/.exec(scalarText(value)?.trim() ?? '')?.[1]
    if (found !== undefined) return found
  }
  return null
}

function inLink(values: readonly unknown[]): string | null {
  for (const value of values) {
    const found =
      typeof value === 'string'
        ? /\bmonitors[/#]0*([1-9]\d{0,39})(?!\d)/.exec(value)?.[1]
        : undefined
    if (found !== undefined) return found
  }
  return null
}

/** Datadog's $EVENT_TYPE names the kind of monitor, a plain `alert` does not. */
const monitorTypeOf = (eventType: string | null): string | null =>
  eventType !== null && /_(?:alert|monitor|check)$|^service_check$|_alert_monitor$/.test(eventType)
    ? eventType
    : null

/** A fact from the tags, else from the scope; where the tags disagree the scope says which of them triggered. */
function facet(key: string, tags: readonly string[], scope: readonly string[]): string | null {
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

/** The first source that holds a web address; a source that holds something else does not hide the next. */
function link(reader: Reader, sources: readonly (readonly string[])[]): string | null {
  for (const source of sources) {
    const text = reader.text(source, 2_048)
    if (
      text !== null &&
      /^https?:\/\/[^\s"'<>\\]+$/i.test(text) &&
      !text.endsWith('…') &&
      URL.canParse(text)
    )
      return text
  }
  return null
}
