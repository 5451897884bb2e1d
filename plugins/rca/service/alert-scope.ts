import type { Alert } from '../../webhooks/contract.ts'
import { tagValue } from './describe-rows.ts'
import { hostSearch } from './host-names.ts'

/** One `key:value` of what an alert is about. */
export interface ScopeTerm {
  readonly key: string
  readonly value: string
}
/** What an alert is about, from its own words: fields first, then its scope. */
export interface AlertScope {
  readonly service: string | null
  readonly host: string | null
  readonly env: string | null
  readonly terms: readonly ScopeTerm[]
}

const maxScope = 2_000

/** Reads an alert's scope; `groups` are the keys its monitor alerts by, whose values its tags may name. */
export function scopeOf(alert: Alert, groups: readonly string[] = []): AlertScope {
  const scope = alert.scope?.slice(0, maxScope) ?? ''
  const terms = scope.split(/,|(?<!\s)\s+AND\s+/i).flatMap(text => termOf(text.trim()))
  const said = (key: string): string | undefined => terms.find(term => term.key === key)?.value
  const fields = {
    service: alert.service ?? said('service') ?? null,
    host: alert.host ?? said('host') ?? null,
    env: alert.env ?? said('env') ?? null
  }
  const grouped = groups
    .filter(key => said(key) === undefined)
    .flatMap(key => {
      const value = fields[key as keyof typeof fields] ?? onlyTag(alert.tags, key)
      return value === undefined || value === null ? [] : termOf(`${key}:${value}`)
    })
  return { ...fields, terms: [...terms, ...grouped] }
}

// What a sender writes ends up in a query: only what a tag can be is taken, and `*` is no scope.
const termOf = (text: string): ScopeTerm[] => {
  const [, key, value] =
    /^(@?[\p{L}_][\p{L}\p{N}_.\-/]*):([\p{L}\p{N}_./][\p{L}\p{N}_.\-:/@]*)$/u.exec(text) ?? []
  return key === undefined || value === undefined ? [] : [{ key, value }]
}

function onlyTag(tags: readonly string[], key: string): string | undefined {
  const values = new Set(tags.filter(tag => tag.startsWith(`${key}:`)))
  return values.size === 1 ? tagValue([...values], key) : undefined
}

/** A metric query about the alert alone: every series in it is bound to the terms it does not contradict. */
export const narrowMetric = (query: string, terms: readonly ScopeTerm[]): string =>
  query.replace(/(?<![\w.])([a-z][\w.]*)\{([^{}]*)\}/gi, (whole, metric: string, filter: string) =>
    metric.toLowerCase() === 'by' ? whole : `${metric}{${narrowFilter(filter.trim(), terms)}}`
  )

function narrowFilter(filter: string, terms: readonly ScopeTerm[]): string {
  const parts = filter.split(/,|(?<!\s)\s+AND\s+/i).map(part => part.trim())
  const exact = (key: string): string[] =>
    parts.filter(part => part.startsWith(`${key}:`) && !part.includes('*'))
  // A series of another host than the alert's belongs to the formula as it is.
  const added = terms
    .filter(({ key }) => !key.startsWith('@') && exact(key).length === 0)
    .map(({ key, value }) => `${key}:${value}`)
  if (added.length === 0) return filter
  if (filter === '' || filter === '*') return added.join(',')
  // Datadog reads commas and words in two ways, and refuses both in one filter.
  return /\s(?:AND|OR|NOT|IN)\b|^NOT\b|\(/i.test(filter)
    ? `(${filter}) AND ${added.join(' AND ')}`
    : `${filter},${added.join(',')}`
}

/** A search of logs, spans or events about the alert alone. */
export function narrowSearch(query: string, terms: readonly ScopeTerm[]): string {
  const added = terms.map(({ key, value }) =>
    key === 'host' ? hostSearch(value) : `${key}:${quoted(value)}`
  )
  if (added.length === 0) return query
  return [query === '' || query === '*' ? [] : `(${query})`, ...added].flat().join(' ')
}

/** Error lines of what the alert is about; the whole condition is in brackets, so that both halves are bound to it. */
export function errorLogs({ service, host, env }: AlertScope): string {
  const where = service ? `service:${quoted(service)}` : host ? hostSearch(host) : undefined
  return [
    'status:(error OR critical OR emergency)',
    where,
    env && where ? `env:${quoted(env)}` : undefined
  ]
    .filter(Boolean)
    .join(' ')
}

/** A value as the search language takes it. */
const quoted = (value: string): string =>
  /^[\w.-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, '')}"`
