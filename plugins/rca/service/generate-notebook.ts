import type { DatadogService } from '../../datadog-proxy/contract.ts'
import { joined, link, md, nothing, type Markdown } from './markdown.ts'

const nameLength = 80

/**
 * The request that would make a notebook of a text, as JSON text; nothing is made. The text
 * is shown as it is: no link, image or HTML in it is live.
 */
export async function generateNotebook(
  datadog: DatadogService,
  asked: { readonly title: string; readonly analysis: string; readonly monitorId?: string }
): Promise<string> {
  const { title, analysis, monitorId } = asked
  const { appUrl } = await datadog.account()
  const lines = analysis.split(/\r?\n/).map(line => md`${line}`)
  const monitor =
    monitorId === undefined ? nothing : link('The monitor', appUrl, ['monitors', monitorId])
  const cells = [md`# ${title}`, monitor, joined(lines, '\n\n')].filter(
    ({ markdown }) => markdown !== ''
  )
  return JSON.stringify({
    data: {
      type: 'notebooks',
      attributes: {
        name: title.slice(0, nameLength),
        cells: cells.map(cellOf),
        time: { live_span: '1h' },
        status: 'published'
      }
    }
  })
}

const cellOf = ({ markdown }: Markdown) => ({
  type: 'notebook_cells',
  attributes: { definition: { type: 'markdown', text: markdown } }
})
