import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Call } from '../../plugins/rca/service/engine/infer-calls.ts'
import type { ServiceWindow, Trouble } from '../../plugins/rca/service/engine/measure-excess.ts'
import { readRows } from './read-csv.ts'

/** One incident of the PetShop set with all that an analysis may see of it. */
export interface PetshopCase {
  readonly id: string
  readonly scenario: string
  readonly split: string
  readonly trouble: Trouble
  readonly target: string
  readonly onset: number
  readonly window: ServiceWindow
  readonly history: ServiceWindow
  readonly calls: readonly Call[]
  /** For scoring only. */
  readonly rootCause: string
}

const bucketSeconds = 300

/**
 * All incidents below a folder: `<scenario>/{graph.csv, noissue/metrics.csv,
 * {train,test}/issue_N/{metrics.csv, target.json}}`.
 */
export function readPetshop(folder: string): PetshopCase[] {
  const scenarios = existsSync(path.join(folder, 'graph.csv'))
    ? ['.']
    : readdirSync(folder).toSorted()
  return scenarios
    .filter(scenario => existsSync(path.join(folder, scenario, 'graph.csv')))
    .flatMap(scenario => readScenario(path.join(folder, scenario)))
}

function readScenario(folder: string): PetshopCase[] {
  const scenario = path.basename(path.resolve(folder))
  const calls = readGraph(path.join(folder, 'graph.csv'))
  const history = readWindow(path.join(folder, 'noissue', 'metrics.csv'))
  return ['train', 'test'].flatMap(split => {
    const issues = path.join(folder, split)
    if (!existsSync(issues)) return []
    return readdirSync(issues)
      .toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
      .map(issue => {
        const { target, root_cause: cause } = JSON.parse(
          readFileSync(path.join(issues, issue, 'target.json'), 'utf8')
        ) as {
          target: { node: string; metric: string; timestamp: number }
          root_cause: { node: string }
        }
        return {
          id: `${scenario}/${split}/${issue}`,
          scenario,
          split,
          trouble: target.metric === 'latency' ? 'latency' : 'errors',
          target: target.node,
          onset: target.timestamp,
          window: readWindow(path.join(issues, issue, 'metrics.csv')),
          history,
          calls,
          rootCause: cause.node
        }
      })
  })
}

/** A square of 0 and 1 whose row calls its column. */
function readGraph(file: string): Call[] {
  const [header = [], ...rows] = readRows(file)
  return rows.flatMap(([caller = '', ...cells]) =>
    cells.flatMap((cell, index) =>
      Number(cell) === 1 ? [[caller, header[index + 1] ?? ''] as const] : []
    )
  )
}

/** Three header rows (service, metric, statistic), then a row a bucket; an empty cell is a bucket without calls. */
function readWindow(file: string): ServiceWindow {
  const [names = [], metrics = [], statistics = [], ...rest] = readRows(file)
  const rows = rest.filter(row => row[0] !== '' && Number.isFinite(Number(row[0])))
  const columnsOf = new Map<string, Record<string, (number | null)[]>>()
  names.forEach((name, index) => {
    if (index === 0) return
    const columns = columnsOf.get(name) ?? {}
    columnsOf.set(name, columns)
    columns[`${metrics[index]} ${statistics[index]}`] = rows.map(row =>
      row[index] === undefined || row[index] === '' ? null : Number(row[index])
    )
  })
  return {
    times: rows.map(row => Number(row[0])),
    bucketSeconds,
    services: [...columnsOf].map(([name, columns]) => ({
      name,
      requests: columns['requests Sum'] ?? rows.map(() => null),
      latencySeconds: columns['latency Average'] ?? rows.map(() => null),
      availability: (columns['availability Average'] ?? rows.map(() => null)).map(percent =>
        percent === null ? null : percent / 100
      ),
      // The tracing system's node types for what is seen through its callers alone.
      clientSide: /_(?:client|remote)$/.test(name)
    }))
  }
}
