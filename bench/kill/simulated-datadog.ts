import { startHelper } from '../process/own-process.ts'
import { processorMs } from '../process/tree.ts'

interface Account {
  readonly name: string
  readonly apiKey: string
  readonly appKey: string
  readonly baseUrl: string
}
interface Said {
  readonly dataUrl: string
  readonly controlUrl: string
  readonly t0: string
  readonly accounts: readonly Account[]
}

export interface Notebook {
  readonly account: string
  readonly id: string
  readonly name: string
}

/** A simulated Datadog outside of what is killed. */
export interface SimulatedDatadog {
  /** Onset of its incident, epoch ms. */
  readonly t0: number
  /** The accounts as JSON, for a server that shall use them. */
  readonly accounts: string
  /** Processor time it has used, in ms. */
  processor(): number
  /** Every notebook it holds, of all accounts; ids are unique within an account only. */
  notebooks(): Promise<Notebook[]>
  stop(): Promise<void>
}

const notebookPage = 'include_cells=false&count=1000&sort_field=created&sort_dir=asc'

export async function startSimulatedDatadog(): Promise<SimulatedDatadog> {
  const { said, pid, stop } = await startHelper<Said>('core/bin.js', [
    'simulator',
    '--scenario',
    's1',
    '--json'
  ])
  return {
    t0: Date.parse(said.t0),
    accounts: JSON.stringify(said.accounts),
    processor: () => processorMs([pid]),
    stop,
    notebooks: async () => (await Promise.all(said.accounts.map(notebooksOf))).flat()
  }
}

async function notebooksOf({
  name: account,
  baseUrl,
  apiKey,
  appKey
}: Account): Promise<Notebook[]> {
  const found: Notebook[] = []
  for (let total = 1; found.length < total;) {
    const answer = await fetch(
      `${baseUrl}/api/v1/notebooks?${notebookPage}&start=${found.length}`,
      { headers: { 'dd-api-key': apiKey, 'dd-application-key': appKey } }
    )
    if (!answer.ok)
      throw new Error(`the simulator answered ${answer.status} to a list of notebooks`)
    const page = (await answer.json()) as {
      data: { id: number; attributes: { name: string } }[]
      meta: { page: { total_filtered_count: number } }
    }
    found.push(
      ...page.data.map(notebook => ({
        account,
        id: String(notebook.id),
        name: notebook.attributes.name
      }))
    )
    total = page.data.length === 0 ? 0 : page.meta.page.total_filtered_count
  }
  return found
}
