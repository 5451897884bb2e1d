import {
  DatadogError,
  type DatadogAccount,
  type DatadogRows,
  type DatadogService,
  type NotebookDraft,
  type NotebookRef
} from '../../datadog-proxy/contract.ts'
import { epochMs } from '../../../core/index.ts'

const none = <T>(query: string): DatadogRows<T> => ({
  rows: [],
  truncated: false,
  warnings: [],
  asked: { query, limit: 100 }
})

/** A Datadog by token whose answers a test overrides one by one; it remembers the notebooks made. */
export function fakeDatadog(overrides: Partial<DatadogAccount> = {}): {
  service: DatadogService
  notebooks: (NotebookDraft & NotebookRef)[]
  asked: string[]
} {
  const notebooks: (NotebookDraft & NotebookRef)[] = []
  const asked: string[] = []
  const account = {
    name: 'main',
    site: 'datadoghq.com',
    simulated: false,
    appUrl: 'https://app.datadoghq.com',
    validate: async () => {},
    checkKeys: async () => [],
    monitor: async id => ({
      id,
      name: 'High CPU',
      type: 'query alert',
      query: 'avg(last_5m):avg:system.cpu.user{host:web-1} > 90',
      message: '',
      tags: [],
      state: 'Alert',
      thresholds: { critical: 90 },
      priority: null
    }),
    events: async ({ query }) => {
      asked.push(query)
      return none(query)
    },
    logs: async ({ query }) => {
      asked.push(query)
      return none(query)
    },
    spans: async ({ query }) => {
      asked.push(query)
      return none(query)
    },
    hosts: async ({ filter }) => {
      asked.push(filter)
      return none(filter)
    },
    metric: async ({ query }) => {
      asked.push(query)
      return none(query)
    },
    createNotebook: async draft => {
      const id = String(notebooks.length + 1)
      const made = { ...draft, id, url: `https://app.datadoghq.com/notebook/${id}` }
      notebooks.push(made)
      return { id, name: made.name, url: made.url }
    },
    findNotebook: async text => {
      const found = notebooks.findLast(notebook => notebook.name.includes(text))
      return found && { id: found.id, name: found.name, url: found.url }
    },
    notebook: async id => {
      const found = notebooks.find(notebook => notebook.id === id)
      if (!found) throw new DatadogError('not_found', 'Datadog answered 404: Notebook not found')
      return {
        id,
        name: found.name,
        url: found.url,
        cells: found.cells.map(cell => ({
          type: cell.type,
          definition:
            cell.type === 'markdown'
              ? { type: cell.type, text: cell.text }
              : { type: cell.type, title: cell.title, requests: [{ q: cell.query }] }
        }))
      }
    },
    updateNotebook: async (id, draft) => {
      const at = notebooks.findIndex(notebook => notebook.id === id)
      const url = `https://app.datadoghq.com/notebook/${id}`
      notebooks[at] = { ...draft, id, url }
      return { id, name: draft.name, url }
    },
    createEvent: async () => ({ url: 'https://app.datadoghq.com/event/event?id=1' }),
    ...overrides
  } as DatadogAccount
  return {
    notebooks,
    asked,
    service: {
      account: async () => account,
      accountOfOrg: async () => undefined,
      list: async () => [{ name: 'main', site: 'datadoghq.com', simulated: false, isDefault: true }]
    }
  }
}

/** A deploy event `minutes` before `at`. */
export const deploy = (
  at: number,
  minutes: number,
  service: string,
  version: string,
  env = 'prod'
) => ({
  id: `${service}-${version}`,
  at: epochMs(at - minutes * 60_000),
  title: `Deployed ${service} ${version}`,
  message: '',
  tags: [`service:${service}`, `version:${version}`, `env:${env}`],
  source: 'deploy'
})
