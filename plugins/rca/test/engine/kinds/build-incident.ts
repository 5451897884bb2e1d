import type { Change, Incident, LogSign, MetricSign } from '../../../service/engine/incident.ts'

const minute = 60_000
export const onset = Date.UTC(2026, 2, 3, 14, 0)

interface Commit {
  readonly message: string
  readonly files: readonly string[]
  readonly diff?: string
  /** The service it was deployed to, or none. */
  readonly to?: string
  /** Minutes from the deploy, or from the commit where it has none, to the onset; negative after it. */
  readonly before: number
}
/** One kind of incident, written as somebody who was there would tell it. */
export interface Kind {
  readonly name: string
  readonly alert: readonly [service: string, metric: string, text: string]
  /** Lines that began with the trouble. */
  readonly errors: readonly (readonly [service: string, text: string, detail?: string])[]
  readonly metrics: readonly (readonly [
    service: string,
    name: string,
    before: number,
    after: number
  ])[]
  /** Minutes over which metrics climb; 0 is a step. */
  readonly climb?: number
  readonly calls?: readonly (readonly [caller: string, callee: string])[]
  /** Absent when the cause is nobody's commit. */
  readonly culprit?: Commit
  readonly baits: readonly Commit[]
  /** What the answer is where it is no commit. */
  readonly cause?: string
}

/** Commits that every repository has, deployed or not, none of which hurts. */
const background: readonly Commit[] = [
  { message: 'docs: explain the release process', files: ['docs/release.md'], before: 95 },
  { message: 'test: cover the money formatter', files: ['pkg/money/format_test.go'], before: 80 },
  { message: 'ci: cache modules', files: ['.github/workflows/build.yml'], before: 70 },
  {
    message: 'chore: bump dependencies',
    files: ['go.mod', 'go.sum'],
    diff: '@@ go.mod @@\n-\tgithub.com/rs/zerolog v1.32.0\n+\tgithub.com/rs/zerolog v1.32.1',
    before: 55
  },
  {
    message: 'fix: typo in a message',
    files: ['internal/errors/text.go'],
    diff: '@@ internal/errors/text.go @@\n-\t"recieved nothing"\n+\t"received nothing"',
    before: 40
  },
  {
    message: 'perf: preallocate the encoder buffer',
    files: ['pkg/codec/json.go'],
    diff: '@@ func Encode(v any) ([]byte, error) {\n \tbuf := bytes.Buffer{}\n+\tbuf.Grow(512)',
    before: 31
  },
  {
    message: 'feat(web): rounder buttons',
    files: ['services/web/static/site.css'],
    diff: '@@ services/web/static/site.css\n-.btn { border-radius: 4px; }\n+.btn { border-radius: 8px; }',
    to: 'web',
    before: 1
  },
  {
    message: 'feat: request ids in access logs',
    files: ['internal/middleware/reqid.go'],
    before: -12
  },
  {
    message: 'refactor: smaller handler',
    files: ['internal/http/handler.go'],
    diff: '@@ func (h *Handler) Serve(w http.ResponseWriter, r *http.Request) {\n-\tif err := json.NewDecoder(r.Body).Decode(&req); err != nil {\n-\t\thttp.Error(w, err.Error(), 400)\n+\tif err := decode(r, &req); err != nil {\n+\t\twriteError(w, 400, err)',
    before: 22
  }
]

const idOf = (prefix: string, index: number): string =>
  `${prefix}-${String(index).padStart(2, '0')}`

function changeOf(commit: Commit, id: string): Change {
  const deployed = onset - commit.before * minute
  return {
    id,
    kind: 'commit',
    at: deployed - (commit.to === undefined ? 0 : 2 * minute),
    message: commit.message,
    files: commit.files,
    diff: commit.diff ?? null,
    rollouts: commit.to === undefined ? [] : [{ at: deployed, service: commit.to }]
  }
}

/** Figures that wander by a few percent, the same in each run. */
const wander = (index: number, salt: number): number =>
  1 + 0.04 * Math.sin(index * 12.9898 + salt * 78.233)

function seriesOf(
  [service, name, before, after]: Kind['metrics'][number],
  climb: number,
  salt: number
): MetricSign {
  const times = Array.from({ length: 70 }, (_, index) => onset + (index - 60) * minute)
  return {
    service,
    name,
    series: {
      times,
      intervalMs: minute,
      values: times.map((time, index) => {
        const minutes = (time - onset) / minute
        const part = minutes < 0 ? 0 : climb === 0 ? 1 : Math.min(1, (minutes + 1) / climb)
        return (before + (after - before) * part) * wander(index, salt)
      })
    }
  }
}

function logsOf({ alert, errors }: Kind): LogSign[] {
  const services = new Set([alert[0], ...errors.map(([service]) => service)])
  const usual = [...services].flatMap(service =>
    Array.from({ length: 30 }, (_, index): LogSign => ({
      at: onset - 60 * minute + index * 2 * minute,
      service,
      severity: 'info',
      text: `handled request ${index} in ${20 + (index % 7)}ms`
    }))
  )
  const bad = errors.flatMap(([service, text, detail]) =>
    Array.from({ length: 12 }, (_, index): LogSign => ({
      at: onset + 20_000 + index * 30_000,
      service,
      severity: 'error',
      text,
      ...(detail === undefined ? {} : { detail })
    }))
  )
  return [...usual, ...bad]
}

/** The id of the culprit in an incident that has one. */
export const culpritId = 'culprit'

/** The evidence of an incident of one kind: an hour before the onset and what came after it, with decoys around it. */
export function buildIncident(kind: Kind): Incident {
  const changes = [
    ...background.map((commit, index) => changeOf(commit, idOf('background', index))),
    ...kind.baits.map((commit, index) => changeOf(commit, idOf('bait', index))),
    ...(kind.culprit ? [changeOf(kind.culprit, culpritId)] : [])
  ]
  return {
    alert: {
      service: kind.alert[0],
      metric: kind.alert[1],
      text: kind.alert[2],
      at: onset + 4 * minute
    },
    logs: logsOf(kind),
    patterns: [],
    metrics: kind.metrics.map((metric, index) => seriesOf(metric, kind.climb ?? 0, index)),
    spans: (kind.calls ?? []).flatMap(([caller, callee], index) => {
      const at = onset + minute
      const span = { traceId: `t${index}`, name: 'call', at, durationMs: 40, isError: false }
      return [
        { ...span, spanId: 'a', parentId: null, service: caller },
        { ...span, spanId: 'b', parentId: 'a', service: callee }
      ]
    }),
    changes,
    deploys: changes.flatMap(({ rollouts }) => rollouts)
  }
}
