import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Series } from '../../plugins/rca/service/engine/change-points.ts'
import type {
  Change,
  Incident,
  LogSign,
  MetricSign,
  SpanSign
} from '../../plugins/rca/service/engine/incident.ts'
import { median } from '../../plugins/rca/service/engine/statistics.ts'
import { readRecords } from './read-csv.ts'

/** For scoring only. */
export interface GroundTruth {
  readonly root_cause_commit: string
  readonly first_failing_service: string
  readonly blast_radius: readonly string[]
  readonly remediation: string
  readonly decoy_deploy_commits: readonly string[]
}
export interface BenchIncident {
  readonly id: string
  readonly incident: Incident
  /** Deploys as they are, for the scripted baselines. */
  readonly deploys: readonly {
    readonly at: number
    readonly service: string
    readonly commit: string
  }[]
  readonly truth: GroundTruth
}

interface Row {
  readonly [key: string]: string | number | null | undefined
}
const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const time = (value: unknown): number => Date.parse(text(value))

/** Incidents below a folder, one a folder, with telemetry, patterns and the commits, deploys and flags around them. */
export function readIncidents(folder: string): BenchIncident[] {
  return readdirSync(folder)
    .toSorted()
    .filter(name => existsSync(path.join(folder, name, 'alert.json')))
    .map(name => readIncident(path.join(folder, name), name))
}

function readIncident(folder: string, id: string): BenchIncident {
  const json = <T>(file: string): T =>
    JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as T
  const alert = json<Row>('alert.json')
  const deploys = json<Row[]>('context/deploys.json').map(row => ({
    at: time(row['timestamp']),
    service: text(row['service']),
    commit: text(row['commit_sha'])
  }))
  const commits = json<(Row & { files_changed: string[] })[]>('context/commits.json').map(
    (row): Change => ({
      id: text(row['sha']),
      kind: 'commit',
      at: time(row['timestamp']),
      message: text(row['message']),
      files: row.files_changed,
      diff: row['diff'] == null ? null : text(row['diff']),
      rollouts: deploys.filter(({ commit }) => commit === row['sha'])
    })
  )
  const flags = json<Row[]>('context/flags.json').map((row, index): Change => ({
    id: `flag-${index}`,
    kind: 'flag',
    at: time(row['timestamp']),
    service: text(row['service']),
    message: `${text(row['flag'])} ${text(row['change'])}`,
    files: [],
    diff: null,
    rollouts: []
  }))
  return {
    id,
    deploys,
    truth: json<GroundTruth>('ground_truth.json'),
    incident: {
      alert: {
        service: text(alert['service']),
        metric: text(alert['metric']),
        text: [alert['metric'], alert['monitor'], alert['summary'], alert['detail']]
          .map(text)
          .join(' '),
        at: time(alert['fired_at'])
      },
      logs: readLogs(path.join(folder, 'logs.ndjson')),
      patterns: json<Row[]>('patterns.json').map(row => ({
        service: text(row['service']),
        text: text(row['signature']),
        count: Number(row['count']),
        delta: Number(row['delta_vs_baseline']),
        isBad: row['sentiment'] === 'negative'
      })),
      metrics: readMetrics(path.join(folder, 'metrics.csv')),
      spans: readSpans(json<Row[]>('traces.json')),
      changes: [...commits, ...flags],
      deploys
    }
  }
}

const severities = {
  ERROR: 'error',
  FATAL: 'error',
  CRITICAL: 'error',
  WARN: 'warn',
  WARNING: 'warn'
} as const

const readLogs = (file: string): LogSign[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.trim() !== '')
    .map(line => {
      const row = JSON.parse(line) as Row
      const detail = [row['stack'], row['error'], row['exception'], row['detail']]
        .map(text)
        .filter(Boolean)
        .join(' ')
      return {
        at: time(row['timestamp']),
        service: text(row['service']),
        severity: severities[text(row['severity_text']) as keyof typeof severities] ?? 'info',
        text: text(row['msg']),
        ...(detail === '' ? {} : { detail })
      }
    })

function readMetrics(file: string): MetricSign[] {
  const found = new Map<
    string,
    { service: string; name: string; times: number[]; values: number[] }
  >()
  for (const row of readRecords(file)) {
    const [service = '', name = ''] = [row['service'], row['metric']]
    const metric = found.get(`${service} ${name}`) ?? { service, name, times: [], values: [] }
    found.set(`${service} ${name}`, metric)
    metric.times.push(time(row['timestamp']))
    metric.values.push(Number(row['value']))
  }
  return [...found.values()].map(({ service, name, times, values }) => ({
    service,
    name,
    series: inOrder(times, values)
  }))
}

function inOrder(times: readonly number[], values: readonly number[]): Series {
  const order = times.map((_, index) => index).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0))
  const sorted = order.map(index => times[index] ?? 0)
  const gaps = sorted.slice(1).map((at, index) => at - (sorted[index] ?? at))
  return {
    times: sorted,
    values: order.map(index => values[index] ?? null),
    intervalMs: gaps.length === 0 ? 60_000 : median(gaps)
  }
}

/** A trace id of `same` stands for that of the span before. */
function readSpans(rows: readonly Row[]): SpanSign[] {
  let traceId = ''
  return rows.map(row => {
    traceId = row['trace_id'] === 'same' ? traceId : text(row['trace_id'])
    return {
      traceId,
      spanId: text(row['span_id']),
      parentId: row['parent_id'] == null ? null : text(row['parent_id']),
      service: text(row['service']),
      name: text(row['name']),
      at: time(row['start']),
      durationMs: Number(row['duration_ms']),
      isError: row['status'] === 'ERROR',
      ...(text(row['error']) === '' ? {} : { error: text(row['error']) })
    }
  })
}
