import type { Incident } from '../../plugins/rca/service/engine/incident.ts'

const minute = 60_000

/** An incident of a size: lines before and after the onset, series of which some move, changes of many services. */
export function createIncident(size: {
  readonly lines: number
  readonly series: number
  readonly changes: number
}): Incident {
  const onset = 1_700_000_000_000
  const service = (n: number): string => `service-${n % 20}`
  const word = (n: number): string =>
    ['order', 'cart', 'stock', 'price', 'user', 'mail'][n % 6] ?? ''
  return {
    alert: { service: 'service-1', text: 'errors of service-1', at: onset + 3 * minute },
    logs: Array.from({ length: size.lines }, (_, n) => {
      const isLate = n % 3 === 0
      return {
        id: `l${n}`,
        at: onset + (isLate ? (n % 600) * 1000 : -((n % 3000) * 1000 + 1)),
        service: service(n),
        severity: n % 5 === 0 ? ('info' as const) : ('error' as const),
        text: isLate
          ? `TypeError: cannot read ${word(n)} ${n} of tenant ${n % 97} in ${n % 13} ms`
          : `${word(n)} ${n} timed out after ${n % 5000} ms at host-${n % 40}, retrying`
      }
    }),
    patterns: [],
    metrics: Array.from({ length: size.series }, (_, n) => ({
      id: `m${n}`,
      service: service(n),
      name: ['http.errors', 'http.latency.p95', 'pool.active', 'heap.used'][n % 4] ?? '',
      series: {
        intervalMs: minute,
        times: Array.from({ length: 75 }, (_unused, i) => onset + (i - 60) * minute),
        values: Array.from({ length: 75 }, (_unused, i) => {
          const noise = ((n * 31 + i * 17) % 10) / 10
          return 10 + noise + (i >= 60 && n % 4 === 1 ? 30 : 0)
        })
      }
    })),
    spans: [],
    changes: Array.from({ length: size.changes }, (_, n) => ({
      id: `c${n}`,
      kind: n % 4 === 0 ? ('flag' as const) : ('deploy' as const),
      at: onset - (n + 1) * minute,
      service: service(n),
      version: `1.${n}.0`,
      message: `${word(n)}: lower the ${word(n + 1)} cache TTL from ${900 + n} s to ${n} s`,
      files: [],
      diff: null,
      rollouts: []
    })),
    deploys: []
  }
}
