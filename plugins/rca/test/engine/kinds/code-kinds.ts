import type { Kind } from './build-incident.ts'

const tidy = (service: string, file: string, before: number) => ({
  message: `refactor: tidy ${service} handler`,
  files: [file],
  diff: `@@ ${file} @@\n-    result = run(request)\n-    return render(result)\n+    return render(run(request))`,
  to: service,
  before
})

/** Incidents that a commit caused, each of another kind, in the languages and words such commits have. */
export const codeKinds: readonly Kind[] = [
  {
    name: 'a timeout lowered below what the callee takes',
    alert: ['checkout', 'http_5xx_ratio', 'checkout 5xx ratio above 2 %'],
    errors: [
      ['checkout', 'call to pricing failed: context deadline exceeded after 150ms'],
      ['web', 'checkout answered 502']
    ],
    metrics: [
      ['checkout', 'http_5xx_ratio', 0.002, 0.31],
      ['pricing', 'request_duration_p95_ms', 240, 250]
    ],
    culprit: {
      message: 'chore: align client defaults',
      files: ['services/checkout/clients.yaml'],
      diff: '@@ services/checkout/clients.yaml @@\n pricing:\n   retries: 1\n-  timeout_ms: 2000\n+  timeout_ms: 150',
      to: 'checkout',
      before: 2
    },
    baits: [tidy('checkout', 'services/checkout/handler.py', 1)]
  },
  {
    name: 'a connection pool made smaller',
    alert: ['orders', 'db_pool_wait_ms_p95', 'orders waits for database connections'],
    errors: [
      [
        'orders',
        'could not acquire connection within 5s: pool exhausted (active=4 idle=0 waiting=38)'
      ]
    ],
    metrics: [
      ['orders', 'db_pool_wait_ms_p95', 2, 4_800],
      ['orders', 'db_pool_in_use', 2, 4],
      ['orders', 'http_request_duration_p99_ms', 180, 5_300]
    ],
    climb: 4,
    culprit: {
      message: 'config: trim idle database sessions',
      files: ['services/orders/src/main/resources/application.properties'],
      diff: '@@ services/orders/src/main/resources/application.properties @@\n-spring.datasource.hikari.maximum-pool-size=40\n+spring.datasource.hikari.maximum-pool-size=4',
      to: 'orders',
      before: 14
    },
    baits: [
      tidy('orders', 'services/orders/src/main/java/Handler.java', 1),
      {
        message: 'perf: bigger pool for reports',
        files: ['services/reports/config.yaml'],
        diff: '@@ services/reports/config.yaml @@\n-  pool: 10\n+  pool: 20',
        to: 'reports',
        before: 3
      }
    ]
  },
  {
    name: 'connections that are no longer returned',
    alert: ['catalog', 'http_5xx_ratio', 'catalog error ratio above 5 %'],
    errors: [
      ['catalog', 'pq: sorry, too many clients already'],
      ['catalog', 'timed out waiting for a free connection']
    ],
    metrics: [
      ['catalog', 'db_connections_open', 12, 100],
      ['catalog', 'http_5xx_ratio', 0.001, 0.4]
    ],
    climb: 9,
    culprit: {
      message: 'feat: export the catalogue as CSV',
      files: ['services/catalog/export.go'],
      diff: '@@ func (s *Store) Export(ctx context.Context, w io.Writer) error {\n \trows, err := s.db.QueryContext(ctx, exportQuery)\n \tif err != nil {\n \t\treturn err\n \t}\n-\tdefer rows.Close()\n \tfor rows.Next() {',
      to: 'catalog',
      before: 26
    },
    baits: [tidy('catalog', 'services/catalog/handler.go', 2)]
  },
  {
    name: 'a cache that lives too short',
    alert: ['profile-db', 'cpu_usage', 'profile-db CPU above 90 %'],
    errors: [['profile', 'slow query: SELECT prefs FROM profiles WHERE id = ? took 1900 ms']],
    metrics: [
      ['profile-db', 'cpu_usage', 22, 94],
      ['profile', 'cache_hit_ratio', 0.97, 0.12],
      ['profile-db', 'queries_per_second', 300, 4_100],
      ['profile', 'latency_p99_ms', 60, 1_900]
    ],
    calls: [
      ['web', 'profile'],
      ['profile', 'profile-db']
    ],
    climb: 3,
    culprit: {
      message: 'chore: fresher preferences',
      files: ['services/profile/src/cache.ts'],
      diff: '@@ services/profile/src/cache.ts @@\n export const options = {\n-  ttl: 15 * 60,\n+  ttl: 5,\n   max: 50_000',
      to: 'profile',
      before: 9
    },
    baits: [
      tidy('profile', 'services/profile/src/handler.ts', 1),
      {
        message: 'feat(web): profile page in two columns',
        files: ['services/web/pages/profile.css'],
        to: 'web',
        before: 2
      }
    ]
  },
  {
    name: 'one query for each item instead of one for all',
    alert: ['feed', 'http_request_duration_p95_ms', 'feed p95 above 1 s'],
    errors: [['feed', 'request took 2412 ms, 188 database calls']],
    metrics: [
      ['feed', 'http_request_duration_p95_ms', 130, 2_400],
      ['feed', 'db_calls_per_request', 4, 190]
    ],
    culprit: {
      message: 'refactor: load authors where they are needed',
      files: ['feed/views.py'],
      diff: '@@ feed/views.py @@ def timeline(request):\n-    posts = Post.objects.select_related("author").filter(user=request.user)[:100]\n+    posts = Post.objects.filter(user=request.user)[:100]\n     for post in posts:\n+        author = Author.objects.get(pk=post.author_id)\n+        items.append(render(post, author))',
      to: 'feed',
      before: 6
    },
    baits: [tidy('feed', 'feed/urls.py', 1)]
  },
  {
    name: 'a column renamed under the code that reads it',
    alert: ['billing', 'error_rate', 'billing error rate above 3 %'],
    errors: [['billing', 'ERROR: column invoices.customer_ref does not exist']],
    metrics: [['billing', 'error_rate', 0.001, 0.82]],
    culprit: {
      message: 'migrate: clearer column names',
      files: ['db/migrations/0042_names.sql'],
      diff: '@@ db/migrations/0042_names.sql @@\n+ALTER TABLE invoices RENAME COLUMN customer_ref TO customer_id;',
      to: 'billing',
      before: 1
    },
    baits: [tidy('billing', 'services/billing/handler.py', 0)]
  },
  {
    name: 'an index dropped',
    alert: ['search', 'latency_p99_ms', 'search p99 above 2 s'],
    errors: [
      ['search', 'canceling statement due to statement timeout'],
      ['search', 'seq scan on listings, 4200000 rows examined']
    ],
    metrics: [
      ['search', 'latency_p99_ms', 90, 6_000],
      ['search', 'db_cpu', 20, 97]
    ],
    culprit: {
      message: 'db: drop unused index',
      files: ['migrations/20260303_cleanup.sql'],
      diff: '@@ migrations/20260303_cleanup.sql @@\n+DROP INDEX CONCURRENTLY idx_listings_city_price;',
      to: 'search',
      before: 5
    },
    baits: [tidy('search', 'services/search/handler.go', 1)]
  },
  {
    name: 'a field renamed between producer and consumer',
    alert: ['shipping', 'messages_failed_total', 'shipping fails to process messages'],
    errors: [
      ['shipping', 'cannot unmarshal event order.created: missing required field "orderId"']
    ],
    metrics: [
      ['shipping', 'messages_failed_total', 0, 420],
      ['shipping', 'consumer_lag', 3, 9_000]
    ],
    calls: [['orders', 'shipping']],
    culprit: {
      message: 'style: snake case in events',
      files: ['libs/events/order.go'],
      diff: '@@ libs/events/order.go @@ type OrderCreated struct {\n-\tOrderID string `json:"orderId"`\n+\tOrderID string `json:"order_id"`',
      before: 18
    },
    baits: [
      tidy('shipping', 'services/shipping/consumer.go', 1),
      {
        message: 'feat: show the carrier',
        files: ['services/orders/carrier.go'],
        diff: '@@ services/orders/carrier.go @@\n+\tview.Carrier = order.Carrier',
        to: 'orders',
        before: 8
      }
    ]
  },
  {
    name: 'a check for null removed',
    alert: ['invoice', 'error_rate', 'invoice error rate above 1 %'],
    errors: [
      [
        'invoice',
        "TypeError: Cannot read properties of undefined (reading 'vatId')",
        'at buildInvoice (services/invoice/src/build.ts:41:22)'
      ]
    ],
    metrics: [['invoice', 'error_rate', 0.002, 0.27]],
    culprit: {
      message: 'refactor: simpler invoice builder',
      files: ['services/invoice/src/build.ts'],
      diff: '@@ services/invoice/src/build.ts: export function buildInvoice(order: Order): Invoice {\n-  const vatId = order.company?.vatId ?? null\n+  const vatId = order.company.vatId',
      to: 'invoice',
      before: 3
    },
    baits: [tidy('invoice', 'services/invoice/src/handler.ts', 1)]
  },
  {
    name: 'something kept that nothing removes',
    alert: [
      'gateway',
      'container_memory_working_set_bytes',
      'gateway memory above 90 % of its limit'
    ],
    errors: [
      ['gateway', 'OOMKilled: container gateway exceeded its memory limit'],
      ['gateway', 'GC pause 900 ms, heap 1.9 GB']
    ],
    metrics: [
      ['gateway', 'container_memory_working_set_bytes', 4e8, 2e9],
      ['gateway', 'restarts_total', 0, 3]
    ],
    climb: 10,
    culprit: {
      message: 'feat: remember recent callers for the audit view',
      files: ['services/gateway/audit.js'],
      diff: '@@ services/gateway/audit.js @@\n+const seenCallers = new Map()\n export function audit(request) {\n+  seenCallers.set(request.id, { at: Date.now(), headers: request.headers, body: request.body })',
      to: 'gateway',
      before: 48
    },
    baits: [tidy('gateway', 'services/gateway/handler.js', 2)]
  },
  {
    name: 'an allowed list that lost an entry',
    alert: ['notifier', 'jobs_failed_total', 'notifier jobs fail'],
    errors: [['notifier', 'no handler registered for channel "sms"']],
    metrics: [['notifier', 'jobs_failed_total', 0, 260]],
    culprit: {
      message: 'refactor: build channels from a list',
      files: ['services/notifier/channels.py'],
      diff: '@@ services/notifier/channels.py @@\n-registry.register("email", EmailChannel())\n-registry.register("sms", SmsChannel())\n-registry.register("push", PushChannel())\n+for name, channel in {"email": EmailChannel(), "push": PushChannel()}.items():\n+    registry.register(name, channel)',
      to: 'notifier',
      before: 2
    },
    baits: [tidy('notifier', 'services/notifier/worker.py', 1)]
  },
  {
    name: 'an environment variable renamed in the chart only',
    alert: ['mailer', 'pod_restarts', 'mailer restarts'],
    errors: [['mailer', 'fatal: required environment variable SMTP_HOST is not set']],
    metrics: [['mailer', 'pod_restarts', 0, 6]],
    culprit: {
      message: 'chart: one naming for all hosts',
      files: ['charts/mailer/values.yaml'],
      diff: '@@ charts/mailer/values.yaml @@\n env:\n-  SMTP_HOST: mail.internal\n+  SMTP_HOSTNAME: mail.internal',
      to: 'mailer',
      before: 1
    },
    baits: [tidy('mailer', 'services/mailer/handler.go', 0)]
  },
  {
    name: 'a stricter token check in a shared library',
    alert: ['account', 'http_401_ratio', 'account answers 401 to half of its callers'],
    errors: [
      ['account', 'jwt rejected: invalid audience'],
      ['web', 'account answered 401 unauthorized']
    ],
    metrics: [['account', 'http_401_ratio', 0.01, 0.52]],
    culprit: {
      message: 'security: verify who a token is for',
      files: ['internal/auth/verify.go'],
      diff: '@@ internal/auth/verify.go: func Verify(raw string) (*Claims, error) {\n-\treturn jwt.Parse(raw, keys)\n+\treturn jwt.Parse(raw, keys, jwt.WithAudience("api.v2"))',
      before: 12
    },
    baits: [
      {
        ...tidy('account', 'services/account/handler.go', 3),
        message: 'refactor: tidy account login handler'
      }
    ]
  },
  {
    name: 'a lock held across a slow call',
    alert: ['inventory', 'http_request_duration_p99_ms', 'inventory p99 above 3 s'],
    errors: [['inventory', 'lock wait timeout exceeded; try restarting transaction']],
    metrics: [
      ['inventory', 'http_request_duration_p99_ms', 80, 9_000],
      ['inventory', 'db_lock_waits', 0, 75]
    ],
    culprit: {
      message: 'fix: never sell twice',
      files: ['inventory/stock.py'],
      diff: '@@ inventory/stock.py @@ def reserve(session, sku, count):\n-    row = session.query(Stock).filter_by(sku=sku).one()\n+    row = session.query(Stock).filter_by(sku=sku).with_for_update().one()\n+    session.execute("SELECT 1 FROM stock WHERE sku = :sku FOR UPDATE", {"sku": sku})',
      to: 'inventory',
      before: 7
    },
    baits: [tidy('inventory', 'inventory/routes.py', 1)]
  },
  {
    name: 'retries without a pause',
    alert: ['ledger', 'requests_per_second', 'ledger receives five times its usual calls'],
    errors: [
      ['ledger', '429 too many requests from transfers'],
      ['transfers', 'ledger call failed, trying again (attempt 9)']
    ],
    metrics: [
      ['ledger', 'requests_per_second', 200, 1_100],
      ['ledger', 'latency_p95_ms', 40, 900]
    ],
    calls: [['transfers', 'ledger']],
    culprit: {
      message: 'fix: survive short failures of the ledger',
      files: ['services/transfers/ledger-client.ts'],
      diff: '@@ services/transfers/ledger-client.ts @@\n-  retries: 2,\n+  retries: 10,\n   idempotent: true',
      to: 'transfers',
      before: 4
    },
    baits: [tidy('ledger', 'services/ledger/handler.ts', 1)]
  },
  {
    name: 'a major version of a library',
    alert: ['render', 'error_rate', 'render fails'],
    errors: [
      [
        'render',
        'ImportError: cannot import name "escape" from "jinja2"',
        'File "render/page.py", line 3'
      ]
    ],
    metrics: [['render', 'error_rate', 0, 1]],
    culprit: {
      message: 'deps: refresh requirements',
      files: ['render/requirements.txt'],
      diff: '@@ render/requirements.txt @@\n-jinja2==2.11.3\n+jinja2==3.1.4\n-markupsafe==2.0.1\n+markupsafe==2.1.5',
      to: 'render',
      before: 1
    },
    baits: [
      tidy('render', 'render/page_test.py', 0),
      {
        message: 'feat: page numbers',
        files: ['render/number.py'],
        diff: '@@ render/number.py @@\n+    page.number = index + 1',
        to: 'render',
        before: 7
      }
    ]
  },
  {
    name: 'a memory limit lowered',
    alert: ['thumbs', 'pod_restarts', 'thumbs restarts over and over'],
    errors: [['thumbs', 'container killed: OOMKilled (exit code 137)']],
    metrics: [
      ['thumbs', 'pod_restarts', 0, 9],
      ['thumbs', 'memory_usage_ratio', 0.4, 0.99]
    ],
    culprit: {
      message: 'k8s: right-size batch of services',
      files: ['deploy/thumbs/deployment.yaml'],
      diff: '@@ deploy/thumbs/deployment.yaml @@ resources:\n   limits:\n-    memory: 2Gi\n+    memory: 512Mi',
      to: 'thumbs',
      before: 11
    },
    baits: [tidy('thumbs', 'services/thumbs/handler.go', 2)]
  },
  {
    name: 'a regular expression that backtracks',
    alert: ['signup', 'cpu_usage', 'signup CPU at its limit'],
    errors: [['signup', 'event loop blocked for 4100 ms']],
    metrics: [
      ['signup', 'cpu_usage', 18, 100],
      ['signup', 'latency_p95_ms', 45, 4_000]
    ],
    culprit: {
      message: 'feat: accept more forms of names',
      files: ['services/signup/validate.js'],
      diff: "@@ services/signup/validate.js @@\n-const name = /^[a-z ]{1,80}$/i\n+const name = /^([a-z]+[ '-]?)+$/i",
      to: 'signup',
      before: 16
    },
    baits: [tidy('signup', 'services/signup/handler.js', 1)]
  },
  {
    name: 'a consumer that no longer confirms its messages',
    alert: ['indexer', 'consumer_lag', 'indexer lags by 50,000 messages'],
    errors: [['indexer', 'message redelivered, offset 8812 not committed']],
    metrics: [['indexer', 'consumer_lag', 10, 50_000]],
    climb: 8,
    culprit: {
      message: 'refactor: shorter consumer loop',
      files: ['services/indexer/consume.go'],
      diff: '@@ services/indexer/consume.go @@ for msg := range messages {\n \tindex(msg)\n-\tif err := reader.CommitMessages(ctx, msg); err != nil {\n-\t\treturn err\n-\t}',
      to: 'indexer',
      before: 20
    },
    baits: [tidy('indexer', 'services/indexer/main.go', 2)]
  },
  {
    name: 'prices in another unit',
    alert: ['cart', 'price_mismatch_total', 'cart totals differ from the price list'],
    errors: [['cart', 'total mismatch: expected 19.99, got 1999']],
    metrics: [['cart', 'price_mismatch_total', 0, 340]],
    culprit: {
      message: 'refactor: money in one place',
      files: ['libs/money/convert.ts'],
      diff: '@@ libs/money/convert.ts @@ export function toDisplay(amount: number): number {\n-  return amount / 100\n+  return Math.round(amount)',
      before: 9
    },
    baits: [{ ...tidy('cart', 'services/cart/total.ts', 2), message: 'refactor: tidy cart total' }]
  }
]
