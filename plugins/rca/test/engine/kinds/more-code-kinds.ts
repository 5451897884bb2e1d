import type { Kind } from './build-incident.ts'

/** More incidents that a commit caused; each has a commit beside it that looks more like the cause and is none. */
export const moreCodeKinds: readonly Kind[] = [
  {
    name: 'a back-off removed in a shared library, beside a tidy of the loud service',
    alert: ['pricing', 'cpu_utilization', 'pricing CPU above 90 %, requests tripled'],
    errors: [
      ['pricing', 'request rejected: overloaded'],
      ['catalog', 'retrying pricing call immediately, attempt 7 of 8']
    ],
    metrics: [
      ['pricing', 'cpu_utilization', 0.3, 0.97],
      ['pricing', 'requests_per_sec', 220, 1_400],
      ['web', 'requests_per_sec', 300, 305]
    ],
    calls: [
      ['web', 'catalog'],
      ['catalog', 'pricing']
    ],
    culprit: {
      message: 'refactor(retry): inline policy',
      files: ['pkg/retry/retry.go'],
      diff: '--- a/pkg/retry/retry.go\n+++ b/pkg/retry/retry.go\n@@ -12,9 +12,7 @@ func Do(ctx context.Context, fn func() error) error {\n \tfor attempt := 0; attempt < maxAttempts; attempt++ {\n \t\tif err = fn(); err == nil {\n \t\t\treturn nil\n \t\t}\n-\t\tselect {\n-\t\tcase <-time.After(backoff(attempt)):\n-\t\tcase <-ctx.Done():\n-\t\t\treturn ctx.Err()\n-\t\t}\n+\t\tlog.Printf("retrying, attempt %d", attempt)\n \t}',
      before: 15
    },
    baits: [
      {
        message: 'perf(pricing): precompute discount table',
        files: ['services/pricing/discount.go'],
        diff: '@@ services/pricing/discount.go @@\n-\ttable := map[string]float64{}\n+\ttable := make(map[string]float64, 64)',
        to: 'pricing',
        before: 2
      },
      {
        message: 'feat(catalog): badge for new items',
        files: ['services/catalog/badge.go'],
        diff: '@@ services/catalog/badge.go @@\n+\titem.Badge = badgeFor(item)',
        to: 'catalog',
        before: 11
      }
    ]
  },
  {
    name: 'a message size limit lowered',
    alert: ['telemetry', 'rpc_errors_total', 'telemetry export errors'],
    errors: [
      [
        'agent',
        'rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5242880 vs. 4194304)'
      ]
    ],
    metrics: [['telemetry', 'rpc_errors_total', 0, 900]],
    calls: [['agent', 'telemetry']],
    culprit: {
      message: 'chore(telemetry): use library defaults',
      files: ['services/telemetry/server.go'],
      diff: '@@ services/telemetry/server.go: func newServer() *grpc.Server {\n \treturn grpc.NewServer(\n-\t\tgrpc.MaxRecvMsgSize(16*1024*1024),\n \t\tgrpc.StatsHandler(otelgrpc.NewServerHandler()),\n \t)',
      to: 'telemetry',
      before: 3
    },
    baits: [
      {
        message: 'fix(telemetry): close export stream',
        files: ['services/telemetry/stream.go'],
        diff: '@@ services/telemetry/stream.go @@\n \tstream, err := client.Export(ctx)\n+\tdefer stream.CloseSend()',
        to: 'telemetry',
        before: 1
      }
    ]
  },
  {
    name: 'a condition of a flag inverted',
    alert: ['frontdoor', 'checkout_success_ratio', 'frontdoor checkout success below 60 %'],
    errors: [['frontdoor', 'guest checkout rejected: feature disabled for cohort']],
    metrics: [
      ['frontdoor', 'checkout_success_ratio', 0.98, 0.52],
      ['frontdoor', 'http_4xx_ratio', 0.01, 0.44]
    ],
    culprit: {
      message: 'cleanup: simplify guest gate',
      files: ['frontdoor/src/checkout/gate.ts'],
      diff: "@@ frontdoor/src/checkout/gate.ts @@ export function mayCheckout(user: User): boolean {\n-  if (!flags.isEnabled('guest_checkout') && user.isGuest) return false\n+  if (flags.isEnabled('guest_checkout') && user.isGuest) return false\n   return true",
      to: 'frontdoor',
      before: 2
    },
    baits: [
      {
        message: 'feat(frontdoor): checkout button copy',
        files: ['frontdoor/src/checkout/Button.tsx'],
        diff: '@@ frontdoor/src/checkout/Button.tsx @@\n-      <Button label="Buy" />\n+      <Button label="Place order" />',
        to: 'frontdoor',
        before: 1
      }
    ]
  },
  {
    name: 'a migration that locks a busy table',
    alert: ['tickets', 'http_request_duration_p99_ms', 'tickets p99 above 10 s'],
    errors: [
      ['tickets', 'canceling statement due to lock timeout'],
      ['tickets', 'deadlock detected while updating tickets']
    ],
    metrics: [
      ['tickets', 'http_request_duration_p99_ms', 120, 14_000],
      ['tickets', 'db_lock_waits', 0, 210]
    ],
    culprit: {
      message: 'feat(tickets): priority column',
      files: ['tickets/migrations/0031_priority.py', 'tickets/models.py'],
      diff: '@@ tickets/migrations/0031_priority.py @@\n+        migrations.RunSQL("ALTER TABLE tickets ALTER COLUMN priority SET NOT NULL"),\n@@ tickets/models.py @@ class Ticket(models.Model):\n+    priority = models.IntegerField(default=0)',
      to: 'tickets',
      before: 2
    },
    baits: [
      {
        message: 'perf(tickets): select only needed columns',
        files: ['tickets/views.py'],
        diff: '@@ tickets/views.py @@\n-    tickets = Ticket.objects.all()\n+    tickets = Ticket.objects.only("id", "title")',
        to: 'tickets',
        before: 1
      }
    ]
  },
  {
    name: 'a default that vanished from a lookup',
    alert: ['tax', 'error_ratio', 'tax error ratio above 5 %'],
    errors: [['tax', "KeyError: 'GB'", 'File "/srv/tax/rates.py", line 22, in rate_for']],
    metrics: [['tax', 'error_ratio', 0.001, 0.18]],
    culprit: {
      message: 'typing: stricter rate table',
      files: ['tax/rates.py'],
      diff: '@@ tax/rates.py @@ def rate_for(country: str) -> Decimal:\n-    return RATES.get(country, DEFAULT_RATE)\n+    return RATES[country]',
      to: 'tax',
      before: 4
    },
    baits: [
      {
        message: 'feat(tax): GB rate note on invoices',
        files: ['tax/notes.py'],
        diff: '@@ tax/notes.py @@\n+NOTES["GB"] = "VAT included"',
        to: 'tax',
        before: 1
      }
    ]
  },
  {
    name: 'an N+1 in GraphQL resolvers',
    alert: ['graph', 'latency_p95_ms', 'graph p95 above 3 s'],
    errors: [['graph', 'slow operation TeamPage: 412 upstream calls to members']],
    metrics: [
      ['graph', 'latency_p95_ms', 210, 3_600],
      ['members', 'requests_per_second', 90, 1_900]
    ],
    calls: [['graph', 'members']],
    culprit: {
      message: 'refactor: resolvers without loader',
      files: ['graph/src/resolvers/team.ts'],
      diff: '@@ graph/src/resolvers/team.ts @@ export const Team = {\n-  members: (team, _, { loaders }) => loaders.member.loadMany(team.memberIds),\n+  members: (team, _, { api }) => Promise.all(team.memberIds.map(id => api.members.get(id))),',
      to: 'graph',
      before: 10
    },
    baits: [
      {
        message: 'chore(members): rename request counter',
        files: ['members/metrics.ts'],
        diff: '@@ members/metrics.ts @@\n-  name: "requests"\n+  name: "requests_total"',
        to: 'members',
        before: 2
      }
    ]
  },
  {
    name: 'goroutines that never end',
    alert: ['relay', 'go_goroutines', 'relay has 40,000 goroutines'],
    errors: [
      ['relay', 'runtime: goroutine stack exceeds limit'],
      ['relay', 'memory above soft limit']
    ],
    metrics: [
      ['relay', 'go_goroutines', 300, 42_000],
      ['relay', 'process_resident_memory_bytes', 2e8, 1.6e9]
    ],
    climb: 10,
    culprit: {
      message: 'feat(relay): stream with long polls',
      files: ['services/relay/stream.go'],
      diff: '@@ services/relay/stream.go: func (s *Server) poll(ctx context.Context) {\n-\tctx, cancel := context.WithTimeout(ctx, 30*time.Second)\n-\tdefer cancel()\n+\tctx = context.WithoutCancel(ctx)\n \tgo s.forward(ctx)',
      to: 'relay',
      before: 35
    },
    baits: [
      {
        message: 'perf(relay): pool byte buffers',
        files: ['services/relay/buffer.go'],
        diff: '@@ services/relay/buffer.go @@\n+var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}',
        to: 'relay',
        before: 3
      }
    ]
  },
  {
    name: 'a synchronous call in the request path',
    alert: ['signin', 'http_request_duration_p95_ms', 'signin p95 above 2 s'],
    errors: [['signin', 'audit write took 1800ms']],
    metrics: [['signin', 'http_request_duration_p95_ms', 90, 2_300]],
    culprit: {
      message: 'fix(signin): never lose an audit record',
      files: ['services/signin/audit.go'],
      diff: '@@ services/signin/audit.go: func (s *Service) SignIn(ctx context.Context, c Credentials) (*Session, error) {\n-\tgo s.audit.Write(context.Background(), record)\n+\tif err := s.audit.Write(ctx, record); err != nil {\n+\t\treturn nil, err\n+\t}',
      to: 'signin',
      before: 3
    },
    baits: [
      {
        message: 'refactor(signin): rename handler',
        files: ['services/signin/handler.go'],
        diff: '@@ services/signin/handler.go @@\n-func (s *Service) handleLogin(w http.ResponseWriter, r *http.Request) {\n+func (s *Service) handleSignIn(w http.ResponseWriter, r *http.Request) {',
        to: 'signin',
        before: 1
      }
    ]
  },
  {
    name: 'a host name changed',
    alert: ['uploads', 'error_rate', 'uploads fail'],
    errors: [['uploads', 'dial tcp: lookup blobs.prod.internal: no such host']],
    metrics: [['uploads', 'error_rate', 0, 0.99]],
    culprit: {
      message: 'config: new blob endpoint',
      files: ['deploy/uploads/values.yaml'],
      diff: '@@ deploy/uploads/values.yaml @@\n-  endpoint: "http://blob.prod.internal:9000"\n+  endpoint: "http://blobs.prod.internal:9000"',
      to: 'uploads',
      before: 1
    },
    baits: [
      {
        message: 'feat(uploads): progress bar',
        files: ['services/uploads/progress.ts'],
        diff: '@@ services/uploads/progress.ts @@\n+  emit("progress", done / total)',
        to: 'uploads',
        before: 2
      }
    ]
  },
  {
    name: 'a cors origin removed',
    alert: ['api', 'http_403_ratio', 'api answers 403 to the web application'],
    errors: [['api', 'CORS: origin https://app.shop.example not allowed']],
    metrics: [['api', 'http_403_ratio', 0.001, 0.63]],
    culprit: {
      message: 'security: shorter list of origins',
      files: ['services/api/cors.yaml'],
      diff: '@@ services/api/cors.yaml @@\n allowed_origins:\n   - https://shop.example\n-  - https://app.shop.example\n   - https://admin.shop.example',
      to: 'api',
      before: 2
    },
    baits: [
      {
        message: 'refactor(api): tidy 403 handling',
        files: ['services/api/errors.go'],
        diff: '@@ services/api/errors.go @@\n-\thttp.Error(w, "forbidden", 403)\n+\twriteError(w, 403, "forbidden")',
        to: 'api',
        before: 1
      }
    ]
  },
  {
    name: 'debug logging that fills a disk',
    alert: ['router', 'disk_used_percent', 'router disk above 95 %'],
    errors: [['router', 'write /var/log/router.log: no space left on device']],
    metrics: [
      ['router', 'disk_used_percent', 40, 99],
      ['router', 'log_bytes_per_second', 2e4, 9e6]
    ],
    climb: 10,
    culprit: {
      message: 'chore: see more of the routing decisions',
      files: ['services/router/config.yaml'],
      diff: '@@ services/router/config.yaml @@ logging:\n-  level: info\n+  level: debug',
      to: 'router',
      before: 55
    },
    baits: [
      {
        message: 'refactor(router): split file',
        files: ['services/router/match.go'],
        diff: '@@ services/router/match.go @@\n+func match(path string) *route { return table.find(path) }',
        to: 'router',
        before: 4
      }
    ]
  },
  {
    name: 'fewer workers for a queue',
    alert: ['transcode', 'queue_depth', 'transcode backlog above 10,000'],
    errors: [['transcode', 'job waited 1900 s in queue']],
    metrics: [['transcode', 'queue_depth', 20, 12_000]],
    climb: 9,
    culprit: {
      message: 'cost: smaller transcode fleet',
      files: ['terraform/transcode.tf'],
      diff: '@@ terraform/transcode.tf @@ resource "aws_autoscaling_group" "transcode" {\n-  min_size = 24\n+  min_size = 3',
      to: 'transcode',
      before: 20
    },
    baits: [
      {
        message: 'feat(transcode): av1 preset names',
        files: ['services/transcode/presets.go'],
        diff: '@@ services/transcode/presets.go @@\n-\t"av1-fast",\n+\t"av1-speed",',
        to: 'transcode',
        before: 3
      }
    ]
  },
  {
    name: 'a protobuf field number changed in a shared schema',
    alert: ['risk', 'decision_error_ratio', 'risk decisions fail'],
    errors: [
      ['risk', 'proto: cannot parse invalid wire-format data'],
      ['payments', 'risk answered: invalid amount 0']
    ],
    metrics: [['risk', 'decision_error_ratio', 0.001, 0.9]],
    calls: [['payments', 'risk']],
    culprit: {
      message: 'proto: group money fields',
      files: ['proto/payment/v1/charge.proto'],
      diff: '@@ proto/payment/v1/charge.proto @@ message Charge {\n-  int64 amount_minor = 3;\n+  int64 amount_minor = 7;',
      before: 22
    },
    baits: [
      {
        message: 'refactor(risk): tidy decision handler',
        files: ['services/risk/decide.go'],
        diff: '@@ services/risk/decide.go @@\n-\tdecision := engine.Decide(charge)\n-\treturn decision, nil\n+\treturn engine.Decide(charge), nil',
        to: 'risk',
        before: 1
      },
      {
        message: 'feat(payments): charge notes',
        files: ['services/payments/notes.go'],
        diff: '@@ services/payments/notes.go @@\n+\tcharge.Note = note',
        to: 'payments',
        before: 14
      }
    ]
  },
  {
    name: 'a validation that refuses old clients',
    alert: ['devices', 'http_422_ratio', 'devices refuses a third of the reports'],
    errors: [['devices', 'validation failed: firmware is required']],
    metrics: [['devices', 'http_422_ratio', 0.002, 0.34]],
    culprit: {
      message: 'feat(devices): know the firmware of every device',
      files: ['services/devices/schema.py'],
      diff: '@@ services/devices/schema.py @@ class Report(BaseModel):\n-    firmware: str | None = None\n+    firmware: str = Field(..., min_length=1)  # required',
      to: 'devices',
      before: 3
    },
    baits: [
      {
        message: 'fix(devices): 422 body as problem json',
        files: ['services/devices/errors.py'],
        diff: '@@ services/devices/errors.py @@\n-    return JSONResponse(errors, 422)\n+    return problem(errors, 422)',
        to: 'devices',
        before: 1
      }
    ]
  },
  {
    name: 'a time zone',
    alert: ['booking', 'double_booking_total', 'booking: duplicate reservations'],
    errors: [['booking', 'duplicate reservation for slot, times differ by 3600 s']],
    metrics: [['booking', 'double_booking_total', 0, 55]],
    culprit: {
      message: 'refactor: fewer conversions of dates',
      files: ['booking/slots.py'],
      diff: '@@ booking/slots.py @@ def slot_key(at):\n-    return at.astimezone(timezone.utc).isoformat()\n+    return at.isoformat()',
      to: 'booking',
      before: 30
    },
    baits: [
      {
        message: 'feat(booking): reservation reference in mails',
        files: ['booking/mail.py'],
        diff: '@@ booking/mail.py @@\n+    context["reference"] = reservation.reference',
        to: 'booking',
        before: 4
      }
    ]
  },
  {
    name: 'an upgrade of the driver in a base image',
    alert: ['warehouse', 'error_rate', 'warehouse cannot query'],
    errors: [
      [
        'warehouse',
        'psycopg2.OperationalError: SCRAM authentication requires libpq version 10 or above'
      ]
    ],
    metrics: [['warehouse', 'error_rate', 0, 1]],
    culprit: {
      message: 'docker: smaller base image',
      files: ['warehouse/Dockerfile'],
      diff: '@@ warehouse/Dockerfile @@\n-FROM python:3.12-slim-bookworm\n+FROM python:3.12-alpine3.9\n+RUN apk add libpq=9.6.10-r0',
      to: 'warehouse',
      before: 1
    },
    baits: [
      {
        message: 'refactor(warehouse): query builder',
        files: ['warehouse/query.py'],
        diff: '@@ warehouse/query.py @@\n-    sql = "SELECT " + columns\n+    sql = f"SELECT {columns}"',
        to: 'warehouse',
        before: 2
      }
    ]
  }
]
