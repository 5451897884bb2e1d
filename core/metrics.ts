import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client'
import { secondMs } from './time.ts'

/** What the process counts of itself, in Prometheus text at `/metrics`. */
export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const seconds = new Histogram({
    name: 'rayne_http_request_seconds',
    help: 'Time to answer, by route template',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: [registry]
  })
  const jobs = new Counter({
    name: 'rayne_jobs_finished_total',
    help: 'Job attempts that ended, by queue and outcome',
    labelNames: ['job', 'state'],
    registers: [registry]
  })
  return {
    registry,
    /** Counts answers of one route; a status is looked up once and then remembered. */
    answers(method: string, route: string): (status: number, durationMs: number) => void {
      const byStatus = new Map<number, ReturnType<typeof seconds.labels>>()
      return (status, durationMs) => {
        let child = byStatus.get(status)
        if (!child) byStatus.set(status, (child = seconds.labels({ method, route, status })))
        child.observe(durationMs / secondMs)
      }
    },
    job: (job: string, state: string): void => jobs.inc({ job, state }),
    text: (): Promise<string> => registry.metrics()
  }
}
export type Metrics = ReturnType<typeof createMetrics>
