import { startHelper } from '../process/helper.ts'

interface Account { readonly name: string; readonly apiKey: string; readonly appKey: string; readonly baseUrl: string }
interface Said { readonly dataUrl: string; readonly controlUrl: string; readonly t0: string; readonly accounts: readonly Account[] }

/** A simulated Datadog outside of what is killed. */
export interface SimulatedDatadog {
  /** Onset of its incident, epoch ms. */
  readonly t0: number
  /** The accounts as JSON, for a server that shall use them. */
  readonly accounts: string
  /** Names of every notebook it holds, of all accounts. */
  notebookNames(): Promise<string[]>
  stop(): Promise<void>
}

export async function startSimulatedDatadog(): Promise<SimulatedDatadog> {
  const { said, stop } = await startHelper<Said>('plugins/demo/simulator/main.ts', ['--scenario', 's1'])
  return {
    t0: Date.parse(said.t0), accounts: JSON.stringify(said.accounts), stop,
    notebookNames: async () => (await Promise.all(said.accounts.map(namesOf))).flat()
  }
}

async function namesOf({ baseUrl, apiKey, appKey }: Account): Promise<string[]> {
  const names: string[] = []
  for (let total = 1; names.length < total;) {
    const answer = await fetch(`${baseUrl}/api/v1/notebooks?include_cells=false&count=1000&start=${names.length}&sort_field=created&sort_dir=asc`, { headers: { 'dd-api-key': apiKey, 'dd-application-key': appKey } })
    if (!answer.ok) throw new Error(`the simulator answered ${answer.status} to a list of notebooks`)
    const page = await answer.json() as { data: { attributes: { name: string } }[]; meta: { page: { total_filtered_count: number } } }
    names.push(...page.data.map(notebook => notebook.attributes.name))
    total = page.data.length === 0 ? 0 : page.meta.page.total_filtered_count
  }
  return names
}
