import { isoTime } from '../../../core/index.ts'
import type {
  DatadogAccount,
  NotebookCell,
  NotebookDraft,
  TimeWindow
} from '../../datadog-proxy/contract.ts'
import type { Alert } from '../../webhooks/contract.ts'
import type { Report } from '../contract.ts'
import { visible } from './investigate/hostile-text.ts'
import { joined, md, type Markdown } from './markdown.ts'
import { alertName } from './report.ts'
import { reportParts, type Afterwards } from './report-parts.ts'

/**
 * Part of the notebook's name: it finds the notebook again, so that a repeated attempt makes no second one. 48 bits in
 * 10 characters.
 */
export const notebookMarker = (analysisId: string): string => {
  const bits = BigInt(`0x${analysisId.replaceAll('-', '').slice(0, 12)}`)
  return `[rayne:${bits.toString(36).padStart(10, '0')}]`
}

// Datadog's limit; the monitor's name gives way to the marker.
const nameLength = 80
const cut = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text

/** The report as a Datadog notebook: header, analysis, graphs, links, evidence, footer. */
export function draftNotebook(
  analysisId: string,
  alert: Alert,
  report: Report,
  window: TimeWindow,
  account: Pick<DatadogAccount, 'appUrl'>,
  afterwards: Afterwards = {}
): NotebookDraft {
  const { parts, graphs } = reportParts(analysisId, alert, report, window, account, afterwards)
  const { title, summary, facts, links } = parts
  const header = joined([md`# ${title}`, md`**${summary}**`, facts, links], '\n\n')
  const written = (texts: readonly Markdown[]): NotebookCell[] =>
    texts
      .filter(({ markdown }) => markdown !== '')
      .map(({ markdown }) => ({ type: 'markdown', text: markdown }))
  const { resolution, evidence, footer, queries, traces } = parts
  return {
    name: notebookName(analysisId, alert, report, window, afterwards),
    cells: [
      ...written([header, parts.analysis]),
      ...graphs.map(({ title: name, query }) => ({
        type: 'timeseries' as const,
        title: name,
        query
      })),
      ...written([queries, parts.related_logs, traces, parts.similar, evidence, resolution, footer])
    ],
    window
  }
}

function notebookName(
  analysisId: string,
  alert: Alert,
  { simulated, evidence }: Report,
  { to }: TimeWindow,
  { resolvedAt }: Afterwards
): string {
  const state = resolvedAt === undefined ? '[Incident Report]' : '[RESOLVED]'
  const before = `${simulated ? 'SIMULATED ' : ''}${state} `
  const after = ` - ${isoTime(to).slice(0, 10)} ${notebookMarker(analysisId)}`
  const name = visible(alertName(alert, evidence))
  return `${before}${cut(name, nameLength - before.length - after.length)}${after}`
}
