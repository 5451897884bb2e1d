import type { TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Report } from '../contract.ts'
import { scopeOf } from './alert-scope.ts'
import { shortHost } from './host-names.ts'
import { joined, link, md, nothing, type Markdown } from './markdown.ts'
import { textFact } from './read-rows.ts'

const searchable = /^[\w.-]+$/

/** Pages of Datadog for one window, on the account's own host. */
function createPages({ from, to }: TimeWindow, appUrl: string) {
  const times = { from_ts: from, to_ts: to, live: 'false' }
  const spans = { start: from, end: to }
  return {
    /** A page that takes its window as `from_ts` and `to_ts`. */
    timed: (name: string, path: readonly string[], query: Record<string, string> = {}): Markdown =>
      link(name, appUrl, path, { ...query, ...times }),
    /** A page that takes its window as `start` and `end`. */
    spanned: (name: string, path: readonly string[], query: Record<string, string> = {}) =>
      link(name, appUrl, path, { ...query, ...spans })
  }
}
type Pages = ReturnType<typeof createPages>

/** Every page of Datadog that says more of an alert, around the alert. */
export function notebookLinks(alert: Alert, report: Report, window: TimeWindow, appUrl: string) {
  const { monitor_id: id } = alert
  const { service, host } = scopeOf(alert)
  const shown = host === null ? null : shortHost(host)
  const pages = createPages(window, appUrl)
  const { timed, spanned } = pages
  const ofService = service === null ? undefined : `service:${quoted(service)}`
  return {
    monitor: (name: string): Markdown =>
      id === null ? md`${name}` : timed(name, ['monitors', id]),
    editMonitor: id === null ? nothing : timed('edit monitor', ['monitors', id, 'edit']),
    service: (name: string): Markdown => spanned(name, ['apm', 'services', name, 'operations']),
    host: (name: string): Markdown => timed(name, ['infrastructure'], { host: name }),
    logs: logLinks(pages, report, ofService, shown),
    traces: service && ofService ? traceLinks(pages, report, service, ofService) : nothing,
    hosts: shown === null ? nothing : hostLinks(pages, shown),
    ...eventLinks(pages, report, shown),
    databases:
      ofService !== undefined && /postgres|mysql|db|database/i.test(ofService.slice(8))
        ? line([
            timed('databases', ['databases'], { query: ofService }),
            timed('queries', ['databases', 'queries'])
          ])
        : nothing
  }
}
export type NotebookLinks = ReturnType<typeof notebookLinks>

function logLinks(
  { timed }: Pages,
  { evidence }: Report,
  ofService: string | undefined,
  host: string | null
): Markdown {
  const asked = evidence.find(({ slot }) => slot === 'logs')?.asked
  const logs = (name: string, query: string): Markdown => timed(name, ['logs'], { query })
  return line([
    asked ? logs('as asked', asked) : nothing,
    ofService ? logs('of the service', ofService) : nothing,
    host === null ? nothing : logs('of the host', `host:${host}*`),
    logs('all errors', 'status:error')
  ])
}

const traceLinks = ({ spanned }: Pages, report: Report, service: string, query: string): Markdown =>
  line([
    spanned('service', ['apm', 'services', service, 'operations']),
    spanned('traces', ['apm', 'traces'], { query }),
    spanned('failed traces', ['apm', 'traces'], { query: `${query} status:error` }),
    ...exemplars(report).map((trace, n) => spanned(`trace ${n + 1}`, ['apm', 'trace', trace]))
  ])

const hostLinks = ({ timed, spanned }: Pages, host: string): Markdown =>
  line([
    timed('host', ['infrastructure'], { host }),
    timed('dashboard', ['dash', 'integration', 'system_overview'], { tpl_var_host: host }),
    spanned('metrics', ['metric', 'explorer'], {
      exp_metric: 'system.cpu.user',
      exp_scope: `host:${host}`
    })
  ])

function eventLinks({ timed }: Pages, report: Report, host: string | null) {
  const events = (name: string, query: string): Markdown =>
    timed(name, ['event', 'explorer'], { query })
  const ofHost = host === null ? undefined : `host:${host}`
  return {
    relatedEvents: events('related events', ofHost ?? 'sources:*'),
    events: line([
      events('all', 'sources:*'),
      ofHost ? events('of the host', ofHost) : nothing,
      ...suspectEvent(report).map(id => timed('the suspect', ['event', 'event'], { id }))
    ])
  }
}

const line = (links: readonly Markdown[]): Markdown => joined(links, ' · ')

/** A value as the search language takes it. */
const quoted = (value: string): string =>
  searchable.test(value) ? value : `"${value.replace(/["\\]/g, '')}"`

const maxTraces = 3
/** Traces that failed before any others. */
function exemplars({ evidence }: Report): string[] {
  const rows = evidence.filter(({ slot }) => slot === 'traces').flatMap(({ rows: all }) => all)
  const failed = rows.filter(row => textFact(row, 'status') === 'error')
  const ids = [...failed, ...rows].flatMap(row => textFact(row, 'trace_id') ?? [])
  return [...new Set(ids)].filter(trace => searchable.test(trace)).slice(0, maxTraces)
}

/** The event of the likeliest change. */
function suspectEvent({ evidence, suspects }: Report): string[] {
  const cited = suspects[0]?.evidence ?? []
  const row = evidence.flatMap(({ rows }) => rows).find(({ id }) => cited.includes(id))
  const event = row && textFact(row, 'event_id')
  return event === undefined ? [] : [event]
}
