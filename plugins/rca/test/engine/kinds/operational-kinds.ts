import type { Kind } from './build-incident.ts'

const tidy = (service: string, before: number) => ({
  message: `refactor: tidy ${service} request handling`,
  files: [`services/${service}/handler.go`],
  diff: [
    `@@ services/${service}/handler.go @@`,
    '-\tresult, err := run(request)',
    '-\tif err != nil {',
    '-\t\treturn fail(err)',
    '-\t}',
    '-\treturn render(result)',
    '+\tresult, err := run(request)',
    '+\tif err != nil {',
    '+\t\treturn failWith(request, err)',
    '+\t}',
    '+\treturn render(result)'
  ].join('\n'),
  to: service,
  before
})

/** Incidents that nobody's commit caused; each has a deploy of the failing service just before it. */
export const operationalKinds: readonly Kind[] = [
  {
    name: 'an expired certificate',
    cause: 'security.certificate_expired',
    alert: ['portal', 'http_5xx_ratio', 'portal cannot reach identity'],
    errors: [
      ['portal', 'x509: certificate has expired or is not yet valid: identity.svc'],
      ['portal', 'login answered 502']
    ],
    metrics: [
      ['portal', 'http_5xx_ratio', 0.001, 0.96],
      ['identity', 'requests_per_second', 140, 2]
    ],
    baits: [
      tidy('portal', 1),
      {
        message: 'chore: newer cipher list',
        files: ['internal/tls/config.go'],
        diff: '@@ internal/tls/config.go @@\n-\ttls.TLS_RSA_WITH_AES_128_CBC_SHA,\n+\ttls.TLS_AES_128_GCM_SHA256,',
        to: 'portal',
        before: 6
      }
    ]
  },
  {
    name: 'more visitors than ever',
    cause: 'load.traffic_surge',
    alert: ['shop', 'http_request_duration_p95_ms', 'shop p95 above 2 s'],
    errors: [
      ['shop', 'request queue full, shedding load'],
      ['basket', 'timeout waiting for a worker']
    ],
    metrics: [
      ['shop', 'requests_per_second', 400, 2_600],
      ['shop', 'http_request_duration_p95_ms', 120, 2_900],
      ['basket', 'requests_per_second', 150, 980],
      ['shop', 'cpu_usage', 35, 98]
    ],
    calls: [['shop', 'basket']],
    baits: [
      tidy('shop', 2),
      {
        message: 'perf: fewer idle workers',
        files: ['services/basket/config.yaml'],
        diff: '@@ services/basket/config.yaml @@\n-idle_workers: 8\n+idle_workers: 7',
        to: 'basket',
        before: 25
      }
    ]
  },
  {
    name: 'names that do not resolve',
    cause: 'network.dns',
    alert: ['sync', 'error_rate', 'sync error rate above 10 %'],
    errors: [
      ['sync', 'dial tcp: lookup store.internal: no such host'],
      ['export', 'dial tcp: lookup store.internal: no such host']
    ],
    metrics: [
      ['sync', 'error_rate', 0.002, 0.7],
      ['coredns', 'dns_servfail_total', 0, 900]
    ],
    baits: [
      tidy('sync', 1),
      {
        message: 'config: name the store by its long name in staging',
        files: ['deploy/staging/sync.yaml'],
        before: 10
      }
    ]
  },
  {
    name: 'a provider that is down',
    cause: 'dependency.external',
    alert: ['payments', 'charge_failure_ratio', 'payments: charges fail'],
    errors: [
      ['payments', 'POST https://api.acquirer.com/v1/charges: 503 Service Unavailable'],
      ['checkout', 'payments answered 502']
    ],
    metrics: [['payments', 'charge_failure_ratio', 0.004, 0.88]],
    calls: [['checkout', 'payments']],
    baits: [
      tidy('payments', 2),
      {
        message: 'refactor: shared client for acquirers',
        files: ['services/payments/acquirer.go'],
        diff: '@@ services/payments/acquirer.go @@\n-\tclient := &http.Client{Timeout: 5 * time.Second}\n+\tclient := httpx.New(httpx.Options{Timeout: 5 * time.Second})',
        to: 'payments',
        before: 19
      }
    ]
  },
  {
    name: 'a node that went away',
    cause: 'host.node_failure',
    alert: ['queue-worker', 'pods_available', 'queue-worker lost a third of its pods'],
    errors: [
      ['queue-worker', 'Node ip-10-2-7-14 status is now: NodeNotReady'],
      ['queue-worker', 'pod evicted, kubelet stopped posting node status']
    ],
    metrics: [
      ['queue-worker', 'pods_available', 9, 6],
      ['queue-worker', 'error_rate', 0.001, 0.2]
    ],
    baits: [tidy('queue-worker', 1)]
  },
  {
    name: 'a full disk',
    cause: 'resource.disk',
    alert: ['events-db', 'write_errors_total', 'events-db refuses writes'],
    errors: [
      ['events-db', 'could not extend file: No space left on device'],
      ['ingest', 'insert failed: database is in read-only mode']
    ],
    metrics: [
      ['events-db', 'disk_used_percent', 88, 100],
      ['events-db', 'write_errors_total', 0, 800]
    ],
    calls: [['ingest', 'events-db']],
    baits: [tidy('ingest', 1)]
  },
  {
    name: 'a message that nobody can read',
    cause: 'data.poison_message',
    alert: ['importer', 'consumer_lag', 'importer does not move on'],
    errors: [
      [
        'importer',
        'failed to deserialize message at partition 3 offset 771204: invalid start byte, will retry'
      ]
    ],
    metrics: [['importer', 'consumer_lag', 5, 40_000]],
    climb: 6,
    baits: [tidy('importer', 3)]
  },
  {
    name: 'a partner that sends a broken file',
    cause: 'data.bad_input',
    alert: ['pricefeed', 'rows_rejected_total', 'pricefeed rejects most rows'],
    errors: [['pricefeed', 'supplier 4411: malformed row 17, expected 12 columns, got 3']],
    metrics: [['pricefeed', 'rows_rejected_total', 2, 9_000]],
    baits: [tidy('pricefeed', 2)]
  },
  {
    name: 'a password that was rotated',
    cause: 'security.credentials_expired',
    alert: ['reports', 'error_rate', 'reports cannot log in to its database'],
    errors: [['reports', 'FATAL: password authentication failed for user "reports"']],
    metrics: [['reports', 'error_rate', 0, 1]],
    baits: [tidy('reports', 1)]
  },
  {
    name: 'nothing that anybody can see',
    cause: 'unknown',
    alert: ['dispatch', 'error_rate', 'dispatch error rate above 1 %'],
    errors: [['dispatch', 'operation failed']],
    metrics: [['dispatch', 'error_rate', 0.001, 0.06]],
    baits: [tidy('dispatch', 1)]
  }
]
