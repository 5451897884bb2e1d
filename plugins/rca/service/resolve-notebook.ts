import { epochMs, type JobContext, type Knex } from '../../../core/index.ts'
import {
  DatadogError,
  type DatadogService,
  type NotebookCell,
  type NotebookContent
} from '../../datadog-proxy/contract.ts'
import { analysisStore } from '../store/analyses.ts'
import { outcomeStore } from '../store/outcomes.ts'
import { clock } from './clock.ts'
import { md } from './markdown.ts'
import { timeOfAlert } from './window.ts'

/**
 * Writes into a notebook that its alert has recovered: its name, its status, and a cell with the time. What people
 * have added stays; a notebook with cells that cannot be written back is left as it is. Once, however often it runs.
 */
export const createNotebookResolver =
  ({ db, datadog }: { db: Knex; datadog: DatadogService }) =>
  async ({ analysisId }: { analysisId: string }, job: JobContext): Promise<void> => {
    const analysis = await analysisStore.find(db, analysisId)
    const { resolvedAt, notebookResolvedAt } = await outcomeStore.lifecycle(db, analysisId)
    if (!analysis?.notebook || resolvedAt === null || notebookResolvedAt !== null) return
    const account = await datadog.account(analysis.account ?? undefined)
    const { id } = analysis.notebook
    const note = (name?: string): Promise<void> =>
      db.transaction(async trx => {
        await job.fence(trx)
        await outcomeStore.noteNotebook(trx, analysisId, name)
      })
    const found = await account.notebook(id, { signal: job.signal }).catch((error: unknown) => {
      if (error instanceof DatadogError && error.failure === 'not_found') return undefined
      throw error
    })
    const cells = found && resolvedCells(found, resolvedAt.toISOString(), analysis.alert.monitor_id)
    if (!found || !cells) {
      job.log.warn({ notebook: id }, 'the notebook is gone or holds what cannot be written back')
      return note()
    }
    const name = found.name.replace('[Incident Report]', '[RESOLVED]')
    const received = epochMs(analysis.receivedAt.getTime())
    const { window } = timeOfAlert(analysis.alert.at, received)
    await account.updateNotebook(id, { name, cells, window }, { signal: job.signal })
    await note(name)
  }

const title = '## Resolution'

/** The notebook's cells with the resolution before the footer; undefined when one of them cannot be written back. */
function resolvedCells(
  { cells }: NotebookContent,
  at: string,
  monitorId: string | null
): NotebookCell[] | undefined {
  const readable = cells.map(({ type, definition }) => cellOf(type, definition))
  const kept = readable.filter(cell => cell !== undefined)
  if (kept.length < readable.length) return undefined
  const resolution: NotebookCell = {
    type: 'markdown',
    text: `${title}\n\n${md`The alert of monitor ${monitorId ?? 'unknown'} recovered at ${clock(at)}.`.markdown}`
  }
  const isNew = !kept.some(cell => cell.type === 'markdown' && cell.text.startsWith(title))
  const marked = kept.map(cell =>
    cell.type === 'markdown'
      ? {
          ...cell,
          text: cell.text.replace('| Status | ACTIVE |', `| Status | RESOLVED at ${clock(at)} |`)
        }
      : cell
  )
  return isNew ? [...marked.slice(0, -1), resolution, ...marked.slice(-1)] : marked
}

function cellOf(
  type: string,
  definition: Readonly<Record<string, unknown>>
): NotebookCell | undefined {
  const { text, title: name, requests } = definition
  if (type === 'markdown' && typeof text === 'string') return { type, text }
  const [request, ...more] = Array.isArray(requests) ? (requests as { q?: unknown }[]) : []
  if (type !== 'timeseries' || more.length > 0 || typeof request?.q !== 'string') return undefined
  return { type, title: typeof name === 'string' ? name : '', query: request.q }
}
