import { epochMs } from '../../../core/index.ts'
import type { Report } from '../contract.ts'
import type { Analysis } from '../store/analyses.ts'
import { draftNotebook } from './notebook.ts'
import type { Afterwards } from './report-parts.ts'

/** The report as one Markdown text: what the notebook says, with the query of each graph in its place. */
export function reportMarkdown(
  { id, alert }: Pick<Analysis, 'id' | 'alert'>,
  report: Report,
  appUrl: string,
  afterwards: Afterwards = {}
): string {
  const window = {
    from: epochMs(Date.parse(report.window.from)),
    to: epochMs(Date.parse(report.window.to))
  }
  return draftNotebook(id, alert, report, window, { appUrl }, afterwards)
    .cells.map(cell =>
      cell.type === 'markdown'
        ? cell.text
        : `### ${cell.title}\n\n\`\`\`\n${cell.query.replaceAll('`', "'")}\n\`\`\``
    )
    .join('\n\n')
}
