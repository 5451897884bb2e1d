import type { Alert } from '../../webhooks/contract.ts'
import type { EvidenceSlot, Report } from '../contract.ts'
import { scopeOf } from './alert-scope.ts'
import { shortHost } from './host-names.ts'
import { visible } from './investigate/hostile-text.ts'
import { textFact } from './read-rows.ts'

/** A graph of a notebook: what it shows, and the query that shows it. */
export interface Graph {
  readonly title: string
  readonly query: string
}

const maxCited = 3
const isScope = /^[\w.:,@/*-]+$/

/** What the monitor watches, the series that claims rest on, and the processor of the host where one is known. */
export function graphsOf(alert: Alert, report: Report): Graph[] {
  const { host } = scopeOf(alert)
  const watched = report.evidence.find(({ slot, rows }) => slot === 'metric' && rows.length > 0)
  const all = [
    ...(watched ? [{ title: watched.title, query: watched.asked }] : []),
    ...citedSeries(report),
    ...(host === null ? [] : [cpuOf(shortHost(host))])
  ]
  const label = report.simulated ? 'SIMULATED ' : ''
  return all.map(({ title, query }) => ({ title: visible(`${label}${title}`), query }))
}

// As Datadog writes a tag: what none can hold is an underscore.
const cpuOf = (host: string): Graph => ({
  title: `CPU of ${host}`,
  query: `avg:system.cpu.user{host:${host.replace(/[^\w.-]/g, '_')}*}`
})

/** The query of one series is that of its question with the series' own scope. */
function citedSeries({ evidence, findings, suspects }: Report): Graph[] {
  const cited = new Set(
    [...suspects.slice(0, 1).flatMap(({ reasons }) => reasons), ...findings].flatMap(
      claim => claim.evidence
    )
  )
  const found = evidence
    .filter(({ slot }) => slot.startsWith('metric-'))
    .flatMap(slot =>
      slot.rows
        .filter(({ id }) => cited.has(id))
        .flatMap(row => {
          const metric = textFact(row, 'metric')
          const scope = textFact(row, 'scope')
          const query =
            metric && scope && isScope.test(scope) ? narrowed(slot, metric, scope) : undefined
          return query === undefined ? [] : [{ title: `${metric} of ${scope}`, query }]
        })
    )
  return found
    .filter((graph, n) => found.findIndex(({ query }) => query === graph.query) === n)
    .slice(0, maxCited)
}

function narrowed({ asked }: EvidenceSlot, metric: string, scope: string): string | undefined {
  const part = asked.split(/, (?=[a-z]+:)/).find(one => one.includes(`:${metric}{`))
  return part?.replace(/\{[^{}]*\}(?: by \{[^{}]*\})?/, () => `{${scope}}`)
}
