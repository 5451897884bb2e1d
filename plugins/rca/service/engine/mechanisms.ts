import type { Setting } from './setting-changes.ts'
import type { SymptomKind } from './symptom-kinds.ts'

/** How a change of code can hurt. */
export type CodeMechanism =
  | 'guard_removed'
  | 'error_ignored'
  | 'query_in_loop'
  | 'batching_removed'
  | 'call_added'
  | 'blocking_added'
  | 'cpu_heavy'
  | 'release_removed'
  | 'growth_added'
  | 'eviction_removed'
  | 'lock_added'
  | 'lock_removed'
  | 'schema_reference'
  | 'schema_changed'
  | 'index_dropped'
  | 'name_changed'
  | 'setting_renamed'
  | 'registration_removed'
  | 'auth_changed'
  | 'tls_changed'
  | 'address_changed'
  | 'condition_changed'
  | 'validation_added'
  | 'type_changed'
  | 'dependency_bumped'
  | 'fallback_removed'
  | 'backoff_removed'
  | 'retry_added'
  | 'cache_removed'
  | 'consumer_changed'
  | 'logging_raised'
  | 'feature_enabled'
export type Mechanism = CodeMechanism | `${Setting}_lowered` | `${Setting}_raised`

type Effects = Partial<Record<SymptomKind, number>>

/**
 * What each mechanism causes, 0 to 1: 1 is what it is known for, below 0.5 a follow-up. One that is not listed for
 * a kind does not cause it.
 */
export const effects: Readonly<Partial<Record<Mechanism, Effects>>> = {
  guard_removed: { crash: 1, missing: 0.4, data: 0.3, errors: 0.4 },
  error_ignored: { crash: 0.6, data: 0.5, errors: 0.3 },
  query_in_loop: {
    database: 1,
    latency: 0.9,
    timeout: 0.6,
    pool: 0.5,
    traffic: 0.5,
    throttled: 0.4
  },
  batching_removed: { database: 0.9, latency: 0.8, timeout: 0.5, pool: 0.4, traffic: 0.5 },
  call_added: { latency: 0.4, timeout: 0.4, connect: 0.3, database: 0.4, throttled: 0.3 },
  blocking_added: { latency: 0.9, timeout: 0.6, threads: 0.6, queue: 0.5, cpu: 0.3, lock: 0.4 },
  cpu_heavy: { cpu: 1, latency: 0.7, timeout: 0.5, queue: 0.3, throttled: 0.2 },
  release_removed: {
    memory: 0.9,
    pool: 1,
    descriptors: 1,
    threads: 0.7,
    lock: 0.6,
    timeout: 0.4,
    latency: 0.3
  },
  growth_added: { memory: 1, restart: 0.7, latency: 0.4, cpu: 0.3 },
  eviction_removed: { memory: 1, restart: 0.7, cache: 0.5, disk: 0.4, latency: 0.3 },
  lock_added: { lock: 1, latency: 0.7, timeout: 0.6, threads: 0.4, pool: 0.4 },
  lock_removed: { data: 0.8, crash: 0.6, lock: 0.3 },
  schema_reference: { missing: 0.8, schema: 0.9, errors: 0.3 },
  schema_changed: { schema: 1, missing: 0.9, lock: 0.6, database: 0.5, latency: 0.3, errors: 0.3 },
  index_dropped: { database: 1, latency: 0.9, timeout: 0.6, cpu: 0.4, lock: 0.4 },
  name_changed: { schema: 0.9, parse: 0.9, missing: 0.8, data: 0.6, crash: 0.4, queue: 0.3 },
  setting_renamed: { settings: 1, missing: 0.6, auth: 0.4, connect: 0.4, crash: 0.4, restart: 0.5 },
  registration_removed: { missing: 1, errors: 0.3, queue: 0.3 },
  auth_changed: { auth: 1, errors: 0.2 },
  tls_changed: { certificate: 0.8, connect: 0.5, auth: 0.3 },
  address_changed: { connect: 1, dns: 0.9, timeout: 0.5, missing: 0.4 },
  condition_changed: {
    data: 0.8,
    crash: 0.5,
    parse: 0.5,
    auth: 0.5,
    errors: 0.5,
    throttled: 0.3,
    latency: 0.2
  },
  validation_added: { parse: 1, auth: 0.3, errors: 0.3 },
  type_changed: { data: 0.9, parse: 0.7, crash: 0.4, schema: 0.5 },
  dependency_bumped: {
    crash: 0.5,
    missing: 0.5,
    schema: 0.5,
    parse: 0.4,
    memory: 0.4,
    latency: 0.3,
    auth: 0.4,
    certificate: 0.3,
    connect: 0.3
  },
  fallback_removed: { timeout: 0.6, connect: 0.6, errors: 0.5, latency: 0.4, crash: 0.3 },
  backoff_removed: {
    traffic: 1,
    throttled: 0.7,
    cpu: 0.6,
    latency: 0.5,
    timeout: 0.4,
    connect: 0.3
  },
  retry_added: { traffic: 0.9, throttled: 0.6, latency: 0.5, timeout: 0.4, cpu: 0.3 },
  cache_removed: {
    cache: 1,
    database: 0.9,
    latency: 0.8,
    timeout: 0.5,
    traffic: 0.5,
    throttled: 0.4
  },
  consumer_changed: { queue: 1, data: 0.4 },
  logging_raised: { disk: 0.8, cpu: 0.4, latency: 0.3 },
  feature_enabled: { latency: 0.3, errors: 0.3, crash: 0.3, missing: 0.3 },
  pool_lowered: { pool: 1, timeout: 0.8, latency: 0.7, threads: 0.3 },
  pool_raised: { pool: 0.6, database: 0.7, connect: 0.4, memory: 0.3 },
  idle_raised: { pool: 0.3 },
  idle_lowered: { connect: 0.3, latency: 0.3 },
  timeout_lowered: { timeout: 1, connect: 0.4, errors: 0.4 },
  timeout_raised: { latency: 0.6, pool: 0.6, threads: 0.7, queue: 0.4 },
  ttl_lowered: { cache: 1, database: 0.8, latency: 0.7, auth: 0.4, traffic: 0.5, timeout: 0.4 },
  ttl_raised: { data: 0.9, memory: 0.6, auth: 0.3 },
  limit_lowered: {
    size: 1,
    throttled: 1,
    parse: 0.4,
    descriptors: 0.7,
    restart: 0.3,
    errors: 0.3
  },
  limit_raised: { memory: 0.5, cpu: 0.5, latency: 0.5, database: 0.5 },
  memory_lowered: { memory: 1, restart: 1, latency: 0.3 },
  memory_raised: { memory: 0.3 },
  cpu_lowered: { cpu: 1, latency: 0.8, timeout: 0.5, throttled: 0.3 },
  replicas_lowered: { latency: 0.7, cpu: 0.7, timeout: 0.5, queue: 0.7, traffic: 0.3 },
  workers_lowered: { queue: 1, threads: 0.9, latency: 0.7, timeout: 0.6 },
  workers_raised: { pool: 0.7, memory: 0.6, database: 0.6, cpu: 0.6, lock: 0.5, throttled: 0.5 },
  batch_raised: {
    size: 0.7,
    memory: 0.7,
    timeout: 0.6,
    latency: 0.5,
    queue: 0.5,
    lock: 0.4
  },
  batch_lowered: { queue: 0.8, latency: 0.5, database: 0.5, traffic: 0.4 },
  retries_raised: { traffic: 0.9, throttled: 0.6, latency: 0.5, timeout: 0.4 },
  retries_lowered: { errors: 0.5, timeout: 0.4, connect: 0.5 },
  interval_lowered: { traffic: 0.7, cpu: 0.7, database: 0.7, throttled: 0.7, disk: 0.3 },
  interval_raised: { data: 0.7, queue: 0.6, auth: 0.3 },
  capacity_lowered: {
    size: 0.8,
    queue: 0.7,
    cache: 0.7,
    throttled: 0.5,
    errors: 0.2
  },
  capacity_raised: { memory: 0.9, restart: 0.5 },
  cost_raised: { cpu: 1, latency: 0.8, timeout: 0.4 }
}

/** Mechanisms whose harm comes with use or with time, so that hours may lie between the change and the trouble. */
export const delayedMechanisms: ReadonlySet<Mechanism> = new Set<Mechanism>([
  'query_in_loop',
  'release_removed',
  'growth_added',
  'eviction_removed',
  'pool_lowered',
  'ttl_lowered',
  'ttl_raised',
  'capacity_raised',
  'capacity_lowered',
  'memory_lowered',
  'limit_lowered',
  'logging_raised',
  'index_dropped',
  'workers_lowered',
  'replicas_lowered',
  'retries_raised',
  'retry_added',
  'lock_added',
  'lock_removed',
  'consumer_changed',
  'batch_raised',
  'cpu_heavy',
  'interval_lowered',
  'interval_raised',
  'fallback_removed',
  'backoff_removed',
  'cpu_lowered'
])
