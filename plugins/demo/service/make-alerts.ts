/** One made-up webhook: what a sender would have posted, and how long ago it came; `key` is a UUID of its place. */
export interface MadeAlert {
  readonly key: string
  readonly agoMs: number
  readonly body: Readonly<Record<string, unknown>>
}

const statuses = ['Alert', 'Warn', 'OK', 'No Data'] as const
const monitors = [
  'High CPU Usage',
  'Memory Pressure',
  'Disk Space Low',
  'API Latency',
  'Error Rate',
  'Database Connections',
  'Queue Backlog',
  'Pod Restarts',
  'SSL Certificate Expiry',
  'Network Errors',
  'Cache Hit Ratio',
  'Replication Lag',
  'Login Failures'
]
const hosts = [
  'web-server-01',
  'web-server-02',
  'api-server-01',
  'api-server-02',
  'db-primary',
  'db-replica-01',
  'cache-01',
  'worker-01',
  'worker-02',
  'kafka-01',
  'lb-01'
]
const services = [
  'api-gateway',
  'user-service',
  'payment-service',
  'order-service',
  'inventory-service',
  'notification-service',
  'auth-service',
  'search-service',
  'reporting-service',
  'frontend'
]
const types = ['metric alert', 'query alert', 'service check', 'log alert']
const environments = ['production', 'staging', 'development']
const teams = ['platform', 'payments', 'search', 'data']
const regions = ['us-east-1', 'us-west-2', 'eu-west-1']
const ORG_ID = '12345'
const WEEK = 7 * 86_400_000

/** A draw that depends on its place only, so that the n-th of a kind is always the same. */
function draw(index: number, salt: number): number {
  let h = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  return ((h ^ (h >>> 13)) >>> 0) / 4294967296
}
const pick = <T>(list: readonly T[], index: number, salt: number): T =>
  list[Math.floor(draw(index, salt) * list.length)] as T

/** The index-th webhook of the demo, spread over the last week; the same for everybody. */
export function makeAlert(index: number, now: number): MadeAlert {
  const status = statuses[index % statuses.length] as (typeof statuses)[number]
  const name = pick(monitors, index, 1)
  const [host, service, type] = [
    pick(hosts, index, 2),
    pick(services, index, 3),
    pick(types, index, 4)
  ]
  const env = pick(environments, index, 5)
  const agoMs = Math.floor(draw(index, 6) * WEEK)
  const at = Math.floor((now - agoMs) / 1000)
  const monitorId = 100_000 + monitors.indexOf(name)
  const tags = [
    `env:${env}`,
    `team:${pick(teams, index, 7)}`,
    `region:${pick(regions, index, 8)}`,
    'demo:true'
  ]
  const body = {
    alert_id: 1_000_000 + index,
    alert_title: `[${status}] ${name} on ${host}`,
    alert_message: `${name} of ${service} on ${host}: demo data`,
    alert_status: status,
    monitor_id: monitorId,
    monitor_name: name,
    monitor_type: type,
    tags,
    timestamp: at,
    event_type: 'demo',
    priority: pick(['low', 'normal', 'high'], index, 9),
    hostname: host,
    service,
    scope: `env:${env},host:${host}`,
    transition_id: `demo-${index}`,
    last_updated: at,
    org_id: Number(ORG_ID),
    org_name: 'Demo Organization',
    demo: true
  }
  return {
    key: `de300000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    agoMs,
    body
  }
}

/** A monitor that is shown and not stored. */
export function makeMonitor(
  index: number,
  now: number
): {
  id: number
  name: string
  type: string
  status: string
  overall_state: string
  tags: string[]
  created: string
  modified: string
  message: string
} {
  const state = pick(statuses, index, 20)
  const created = now - Math.floor((30 + draw(index, 21) * 300) * 86_400_000)
  const name = monitors[index % monitors.length] ?? ''
  const service = pick(services, index, 22)
  return {
    id: 100_000 + index,
    name: `${name} (${service})`,
    type: pick(types, index, 23),
    status: state,
    overall_state: state,
    tags: [`service:${service}`, `env:${pick(environments, index, 24)}`, 'demo:true'],
    created: new Date(created).toISOString(),
    modified: new Date(created + 86_400_000).toISOString(),
    message: `${name} needs attention. @slack-${pick(teams, index, 25)}`
  }
}
