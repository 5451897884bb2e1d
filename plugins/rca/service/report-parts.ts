import type { DatadogAccount, TimeWindow } from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Report } from '../contract.ts'
import { scopeOf } from './alert-scope.ts'
import { clock } from './clock.ts'
import { graphsOf, type Graph } from './graphs.ts'
import { shortHost } from './host-names.ts'
import { heading, joined, md, nothing, rule, words, type Markdown } from './markdown.ts'
import { notebookLinks, type NotebookLinks } from './notebook-links.ts'
import {
  analysisText,
  evidenceText,
  logFindings,
  logRows,
  queriesText,
  similarText
} from './notebook-text.ts'
import { alertName } from './report.ts'

/** What became of the alert since, and what the past knows of it. */
export interface Afterwards {
  /** When the alert recovered, as an ISO time. */
  readonly resolvedAt?: string | undefined
  /** What people wrote about how it was resolved. */
  readonly notes?: readonly string[] | undefined
}
interface Subject {
  readonly alert: Alert
  readonly report: Report
  readonly links: NotebookLinks
  readonly afterwards: Afterwards
}

/** Every part of a report for people, by name: notebooks and templates are made of them. */
export function reportParts(
  analysisId: string,
  alert: Alert,
  report: Report,
  window: TimeWindow,
  account: Pick<DatadogAccount, 'appUrl'>,
  afterwards: Afterwards = {}
) {
  const links = notebookLinks(alert, report, window, account.appUrl)
  const subject: Subject = { alert, report, links, afterwards }
  const { service } = scopeOf(alert)
  const graphs: Graph[] = graphsOf(alert, report)
  const name = alertName(alert, report.evidence)
  const { resolvedAt } = afterwards
  return {
    graphs,
    parts: {
      title: report.simulated ? md`SIMULATED ${name}` : md`${name}`,
      summary: words(report.summary),
      facts: facts(subject),
      links: quickLinks(links),
      onset: words(report.onset === undefined ? 'nothing began' : clock(report.onset.at)),
      window: words(`${clock(report.window.from)} to ${clock(report.window.to)}`),
      affected: words(report.affected?.join(', ') ?? ''),
      resolved: words(resolvedAt === undefined ? 'not yet' : clock(resolvedAt)),
      resolution: resolution(subject),
      analysis: analysisText(report),
      queries:
        graphs.length > 0
          ? joined([words('Queries of the graphs:'), queriesText(graphs)], '\n\n')
          : nothing,
      logs: links.logs,
      related_logs: (alert.service ?? alert.host) ? under('Related logs', links.logs) : nothing,
      traces: service ? under('APM and traces', links.traces) : nothing,
      log_findings: logFindings(report),
      log_rows: logRows(report),
      similar: similarText(report.similar ?? []),
      evidence: evidenceText(report),
      footer: footer(analysisId, subject)
    }
  }
}

const under = (title: string, found: Markdown): Markdown =>
  joined([heading(2, title), found], '\n\n')

/** How it ended: the time, the monitor, and what people wrote. */
function resolution({ alert, links, afterwards }: Subject): Markdown {
  const { resolvedAt, notes = [] } = afterwards
  if (resolvedAt === undefined && notes.length === 0) return nothing
  const recovered =
    resolvedAt === undefined
      ? nothing
      : md`The alert recovered at ${clock(resolvedAt)}; monitor ${links.monitor(alert.monitor_id ?? 'unknown')}.`
  return joined(
    [
      heading(2, 'Resolution'),
      recovered,
      joined(
        notes.map(note => md`- ${note}`),
        '\n'
      )
    ],
    '\n\n'
  )
}

function facts({ alert, report, links, afterwards }: Subject): Markdown {
  const { service, host, env } = scopeOf(alert)
  const { resolvedAt } = afterwards
  const rows = Object.entries({
    Status: resolvedAt === undefined ? 'ACTIVE' : `RESOLVED at ${clock(resolvedAt)}`,
    Monitor: links.monitor(alert.monitor_id ?? 'unknown'),
    Alert: alert.status,
    Service: service === null ? null : links.service(service),
    Host: host === null ? null : links.host(shortHost(host)),
    Environment: env,
    Scope: alert.scope,
    Tags: alert.tags.join(', '),
    Onset: report.onset ? `${clock(report.onset.at)} (${report.onset.source})` : null,
    Cause: [report.component, report.class].filter(Boolean).join(', '),
    Affected: report.affected?.join(', ') ?? null,
    Account: report.account
  }).flatMap(([key, value]) => (value ? [md`| ${key} | ${value} |`] : []))
  return md`| | |\n|---|---|\n${joined(rows, '\n')}`
}

const quickLinks = (links: NotebookLinks): Markdown =>
  joined(
    Object.entries({
      Monitor: joined([links.monitor('view'), links.editMonitor], ' · '),
      Logs: links.logs,
      APM: links.traces,
      Host: links.hosts,
      Events: links.events,
      Databases: links.databases
    }).flatMap(([area, found]) => (found.markdown === '' ? [] : [md`- ${area}: ${found}`])),
    '\n'
  )

function footer(analysisId: string, { report, links }: Subject): Markdown {
  const { simulated, investigation } = report
  const by = md`Generated by Rayne from the evidence above; analysis ${analysisId}.`
  const model = investigation
    ? md`One section was written by the model ${investigation.model} and checked by code.`
    : words('Nothing here was written by a model.')
  return joined(
    [
      rule,
      joined([simulated ? words('SIMULATED.') : nothing, by, model], ' '),
      joined([links.monitor('view monitor'), links.editMonitor, links.relatedEvents], ' · ')
    ],
    '\n\n'
  )
}
