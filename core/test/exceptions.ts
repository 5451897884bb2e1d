import type { Exception } from './budgets.ts'

/** Casts (`as never`, `as unknown as`, `!`) by part of the tree: each number is the count, and only falls. */
export const casts: Readonly<Record<string, number>> = {
  bench: 23,
  core: 11,
  'core/test': 22,
  'examples/test': 1,
  'plugins/datacat': 12,
  'plugins/datacat/test': 63,
  'plugins/datadog-proxy': 3,
  'plugins/datadog-proxy/test': 43,
  'plugins/rca': 2,
  simulator: 2,
  'simulator/test': 12
}

/**
 * What is over its budget today. The list only shrinks: a number that could be lower, and an entry that
 * is not needed any more, are failures that say so. What is new and over a budget is made smaller.
 */
export const exceptions: readonly Exception[] = [
  // bench
  { path: 'bench/kill.ts killRounds', what: 'own lines', number: 53 },
  { path: 'bench/ingest', what: 'twice', number: 1 },
  { path: 'bench/kill', what: 'twice', number: 1 },
  { path: 'bench/proxy', what: 'twice', number: 1 },
  { path: 'bench/ingest.ts', what: 'wide lines', number: 1 },
  { path: 'bench/ingest/insert-loop.ts', what: 'wide lines', number: 1 },
  { path: 'bench/ingest/post-load.ts', what: 'wide lines', number: 2 },
  { path: 'bench/ingest/rounds.ts', what: 'wide lines', number: 3 },
  { path: 'bench/ingest/starts.ts', what: 'wide lines', number: 1 },
  { path: 'bench/ingest/variants.ts', what: 'wide lines', number: 2 },
  { path: 'bench/kill.ts', what: 'wide lines', number: 4 },
  { path: 'bench/kill/drained.ts', what: 'wide lines', number: 1 },
  { path: 'bench/kill/simulated-datadog.ts', what: 'wide lines', number: 1 },
  { path: 'bench/process/profile.ts', what: 'wide lines', number: 1 },
  { path: 'bench/proxy.ts', what: 'wide lines', number: 3 },
  // core
  { path: 'core/db/cluster.ts', what: 'lines', number: 353 },
  { path: 'core/db/embedded.ts', what: 'lines', number: 323 },
  { path: 'core/bin.js', what: 'wide lines', number: 1 },
  { path: 'core/cli/admin.ts', what: 'wide lines', number: 1 },
  { path: 'core/cli/context.ts', what: 'wide lines', number: 1 },
  { path: 'core/cli/start.ts', what: 'wide lines', number: 4 },
  { path: 'core/config.ts', what: 'wide lines', number: 3 },
  { path: 'core/db/cluster.ts', what: 'wide lines', number: 5 },
  { path: 'core/db/embedded.ts', what: 'wide lines', number: 4 },
  { path: 'core/load.ts', what: 'wide lines', number: 1 },
  { path: 'core/services.ts', what: 'wide lines', number: 1 },
  { path: 'core/test/embedded.test.ts', what: 'wide lines', number: 1 },
  // examples
  { path: 'examples/first-plugin/plugin.ts', what: 'wide lines', number: 1 },
  // plugins/datacat
  { path: 'plugins/datacat/clients/python/datacat.py', what: 'lines', number: 1117 },
  { path: 'plugins/datacat/clients/go/batch.go', what: 'wide lines', number: 1 },
  { path: 'plugins/datacat/clients/go/buffered.go', what: 'wide lines', number: 1 },
  { path: 'plugins/datacat/clients/go/deliver.go', what: 'wide lines', number: 1 },
  { path: 'plugins/datacat/clients/go/event.go', what: 'wide lines', number: 1 },
  { path: 'plugins/datacat/clients/go/heartbeat.go', what: 'wide lines', number: 3 },
  { path: 'plugins/datacat/clients/go/request.go', what: 'wide lines', number: 1 },
  { path: 'plugins/datacat/clients/python/datacat.py', what: 'wide lines', number: 19 },
  // plugins/datadog-proxy
  { path: 'plugins/datadog-proxy/plugin.ts', what: 'lines', number: 95 },
  { path: 'plugins/datadog-proxy/routes/accounts.ts', what: 'lines', number: 359 },
  { path: 'plugins/datadog-proxy/service/client/send-request.ts', what: 'lines', number: 307 },
  { path: 'plugins/datadog-proxy/test/accounts.test.ts', what: 'lines', number: 605 },
  { path: 'plugins/datadog-proxy/routes/monitors.ts monitorRoutes', what: 'own lines', number: 70 },
  {
    path: 'plugins/datadog-proxy/service/client/open-account.ts openAccount',
    what: 'own lines',
    number: 51
  },
  { path: 'plugins/datadog-proxy/test/contract.run.ts exercise', what: 'own lines', number: 56 },
  {
    path: 'plugins/datadog-proxy/routes/monitors.ts monitorRoutes',
    what: 'whole lines',
    number: 123
  },
  {
    path: 'plugins/datadog-proxy/test/routes.read.test.ts function given to test',
    what: 'whole lines',
    number: 218
  },
  { path: 'plugins/datadog-proxy/config.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/plugin.ts', what: 'wide lines', number: 3 },
  { path: 'plugins/datadog-proxy/routes/ask-accounts.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/routes/cursor.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/routes/hosts.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/routes/private-location.ts', what: 'wide lines', number: 3 },
  { path: 'plugins/datadog-proxy/routes/proxy.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/routes/time-range.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/accounts.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/check-accounts.ts', what: 'wide lines', number: 5 },
  { path: 'plugins/datadog-proxy/service/client/circuit.ts', what: 'wide lines', number: 3 },
  { path: 'plugins/datadog-proxy/service/client/collect-pages.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/client/create-event.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/client/log-tiers.ts', what: 'wide lines', number: 3 },
  { path: 'plugins/datadog-proxy/service/client/path-part.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/client/plan-retry.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/client/rate-limit.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/client/resolve-site.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/client/search-events.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/client/search-spans.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/client/send-request.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/client/validate-keys.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/service/client/write-notebook.ts', what: 'wide lines', number: 3 },
  { path: 'plugins/datadog-proxy/service/datadog.ts', what: 'wide lines', number: 4 },
  { path: 'plugins/datadog-proxy/service/rotate-keys.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/service/seal.ts', what: 'wide lines', number: 4 },
  { path: 'plugins/datadog-proxy/store.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/accounts.isolation.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/accounts.secrets.test.ts', what: 'wide lines', number: 5 },
  { path: 'plugins/datadog-proxy/test/accounts.test.ts', what: 'wide lines', number: 6 },
  { path: 'plugins/datadog-proxy/test/contract.run.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/contract/replay-server.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/fault-analysis.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/fault-answers.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/fault-refusals.test.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/test/fault-storm.child.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/fault-storm.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/fault-transport.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/loopback.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/quirks.accounts.test.ts', what: 'wide lines', number: 2 },
  { path: 'plugins/datadog-proxy/test/quirks.answers.test.ts', what: 'wide lines', number: 4 },
  { path: 'plugins/datadog-proxy/test/quirks.asking.test.ts', what: 'wide lines', number: 5 },
  { path: 'plugins/datadog-proxy/test/routes.refusals.test.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/datadog-proxy/test/two-sites.ts', what: 'wide lines', number: 2 },
  // plugins/demo
  { path: 'plugins/demo/plugin.ts', what: 'wide lines', number: 1 },
  // plugins/rca
  { path: 'plugins/rca/service/record.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/rca/service/redact-snapshot.ts', what: 'wide lines', number: 1 },
  { path: 'plugins/rca/service/snapshot.ts', what: 'wide lines', number: 2 },
  // simulator
  { path: 'simulator/test/sdk.test.ts function given to test', what: 'whole lines', number: 196 }
]
