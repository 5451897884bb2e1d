import type { SymptomKind } from './symptom-kinds.ts'

/** How a cause that is nobody's commit is known. */
export interface Rule {
  readonly class: string
  readonly remedy: string
  /** What texts say; a text counts by its weight. */
  readonly says?: RegExp
  /** What metrics show; one that moved so counts like a text. */
  readonly shows?: { readonly name: RegExp; readonly direction: 'up' | 'down' }
  /** 1 when the words name the cause itself, less when they may be a follow-up of something else. */
  readonly plainness: number
  readonly effectOf?: readonly SymptomKind[]
}

/** The known kinds of such causes. */
export const rules: readonly Rule[] = [
  {
    class: 'security.certificate_expired',
    remedy: 'renew_certificate',
    plainness: 1,
    says: /cert\w{0,12}\b.{0,40}\bexpired|expired\b.{0,20}\bcert|x509.{0,60}expired|cert_?has_?expired/i,
    shows: {
      name: /cert\w{0,20}(?:expir|until|valid|\W.{0,120}(?:expir|until|valid))/i,
      direction: 'down'
    }
  },
  {
    class: 'security.credentials_expired',
    effectOf: ['auth', 'settings'],
    remedy: 'rotate_credentials',
    plainness: 0.9,
    says: /(?:token|secret|credentials?|password|api[ -]?key|key|licen[cs]e)s?\b.{0,25}\b(?:expired|revoked|rotated|disabled)|password authentication failed|expired ?token|invalid_?client(?:_?token)?/i
  },
  {
    class: 'network.dns',
    effectOf: ['dns', 'connect', 'settings'],
    remedy: 'fix_dns',
    plainness: 0.9,
    says: /no such host|nxdomain|servfail|name resolution|getaddrinfo|enotfound|eai_again|unknownhost|could not resolve (?:host|name)|dns (?:lookup|query|resolution|server|timeout)/i,
    shows: {
      name: /dns.{0,120}(?:fail|error|servfail|nxdomain|latency|duration|timeout)/i,
      direction: 'up'
    }
  },
  {
    class: 'resource.disk',
    effectOf: ['disk'],
    remedy: 'free_space',
    plainness: 1,
    says: /no space left|disk (?:is )?full|enospc|disk ?pressure|out of disk|read-only file ?system|inodes? exhaust/i,
    shows: {
      name: /(?:disk|volume|filesystem|fs|storage).{0,120}(?:used|usage|util|full|pct|percent|ratio)/i,
      direction: 'up'
    }
  },
  {
    class: 'host.node_failure',
    remedy: 'drain_node',
    plainness: 0.95,
    says: /node\b.{0,40}\b(?:not ?ready|lost|unreachable|terminated|failed|down|drained|cordoned|gone)|notready|kubelet (?:stopped|not)|spot (?:instance|interruption)|preempt(?:ed|ion)|hardware (?:error|failure)|kernel panic|host (?:is )?(?:down|failure|lost)|instance .{0,20}(?:impaired|retired)/i,
    shows: { name: /node.{0,120}(?:ready|up|healthy|available)|hosts?_up/i, direction: 'down' }
  },
  {
    class: 'host.noisy_neighbour',
    remedy: 'drain_node',
    plainness: 0.8,
    says: /cpu steal|steal time|noisy neighbou?r/i,
    shows: { name: /steal/i, direction: 'up' }
  },
  {
    class: 'resource.memory',
    effectOf: ['memory'],
    remedy: 'scale',
    plainness: 0.7,
    says: /memory ?pressure|node .{0,30}(?:low on|out of) memory|evicted.{0,40}memory|system oom|cannot allocate memory/i,
    shows: { name: /node.{0,120}mem|host.{0,120}mem|system\.mem/i, direction: 'up' }
  },
  {
    class: 'dependency.database',
    remedy: 'failover',
    plainness: 0.85,
    says: /fail(?:ed)? ?over|read-only transaction|cannot execute .{0,20} in a read-only|primary .{0,20}(?:changed|lost|down|unavailable)|database system is (?:starting|shutting|in recovery)|replica(?:tion)? lag|promot(?:ed|ion) .{0,20}(?:primary|replica|master)|not master/i,
    shows: { name: /replica(?:tion)?.{0,120}lag|failover/i, direction: 'up' }
  },
  {
    class: 'dependency.cache',
    effectOf: ['cache', 'memory'],
    remedy: 'restart',
    plainness: 0.8,
    says: /\b(?:redis|memcached?|cache (?:node|cluster|server))\b.{0,60}(?:refused|down|unavailable|restart|loading|flushed|readonly|lost|maxmemory|oom)|oom command not allowed|evicted_keys/i,
    shows: { name: /(?:redis|memcache|cache).{0,120}(?:evict|restart|down)/i, direction: 'up' }
  },
  {
    class: 'dependency.queue',
    remedy: 'restart',
    plainness: 0.8,
    says: /broker.{0,40}(?:down|unavailable|not available|lost|unreachable)|leader not available|not enough replicas|under-?replicated|offline partitions?/i,
    shows: { name: /under_?replicated|offline_?partitions/i, direction: 'up' }
  },
  {
    class: 'data.poison_message',
    effectOf: ['queue', 'schema', 'parse'],
    remedy: 'skip_message',
    plainness: 0.85,
    says: /poison|(?:same|stuck at|at) offset.{0,40}(?:again|retry|fail)|redeliver\w{0,5}.{0,30}(?:\d{2,}|again|times)|(?:cannot|failed to|could not) (?:deserialize|decode|parse|process) (?:message|record|event).{0,60}(?:offset|partition)/i
  },
  {
    class: 'data.bad_input',
    effectOf: ['parse', 'schema', 'data'],
    remedy: 'fix_data',
    plainness: 0.75,
    says: /(?:malformed|corrupt\w{0,10}|unparse?able|truncated|invalid) (?:\w+ )?(?:row|record|file|feed|csv|payload|upload|import|export|batch|document)|(?:feed|file|upload|partner|tenant|customer|supplier|merchant)\b.{0,60}(?:malformed|corrupt|invalid|unexpected|truncated)/i
  },
  {
    class: 'resource.quota',
    effectOf: ['throttled'],
    remedy: 'raise_limit',
    plainness: 0.85,
    says: /quota.{0,30}(?:exceed|exhaust|reached)|(?:exceed|exhaust|reached).{0,30}quota|account (?:limit|suspended)|billing|insufficient (?:capacity|credits|quota)|monthly limit/i
  },
  {
    class: 'dependency.external',
    remedy: 'contact_provider',
    plainness: 0.85,
    says: /third[- ]?party|(?:payment |sms |email |cloud |dns |identity |upstream )?provider\b.{0,60}(?:outage|down|degraded|unavailable|error|5\d\d|incident|timeout|timed out)|vendor|status ?page|external (?:api|service|dependency|provider)|partner api|(?:us|eu|ap)-(?:east|west|central|south|north)\w*-\d.{0,40}(?:outage|degraded|impaired)/i
  },
  {
    class: 'clock.skew',
    remedy: 'restart',
    plainness: 0.85,
    says: /clock (?:skew|drift)|\bntp\b|chrony|token used before issued|time(?:stamp)? .{0,30}(?:in the future|too skewed)|requesttimetooskewed/i,
    shows: { name: /clock.{0,120}(?:skew|drift|offset)|ntp.{0,120}offset/i, direction: 'up' }
  },
  {
    class: 'network.partition',
    remedy: 'failover',
    plainness: 0.85,
    says: /network partition|packet loss|split[- ]brain|availability zone|\baz\b.{0,30}(?:outage|down|unreachable)|link (?:down|flap)|bgp/i,
    shows: { name: /packet.{0,120}(?:loss|drop)|retransmit/i, direction: 'up' }
  },
  {
    class: 'load.batch_job',
    effectOf: ['cpu', 'database', 'latency'],
    remedy: 'shed_load',
    plainness: 0.7,
    says: /(?:nightly|scheduled|cron|batch|backfill|reindex|etl|full export|analytics) ?(?:job|task|run|export|import|query|report)|backfill|vacuum full|pg_dump|backup (?:started|running)/i
  },
  {
    class: 'load.hot_key',
    effectOf: ['traffic', 'latency'],
    remedy: 'shed_load',
    plainness: 0.8,
    says: /hot (?:key|shard|partition|spot)|single (?:tenant|key|customer) .{0,30}(?:of traffic|of requests|%)/i
  }
]

/** Words of more to do than usual, where it comes in. */
export const surgeWords =
  /flash ?sale|campaign|marketing|surge|spike in (?:traffic|requests|orders)|viral|promo|black friday|peak|traffic (?:increase|spike|surge)|bot(?:s| traffic)|crawler|scrap(?:er|ing)|ddos/i

/** What texts say of a class of cause; undefined where words alone name none. */
export const wordsOfClass = (kind: string): RegExp | undefined =>
  kind === 'load.traffic_surge' ? surgeWords : rules.find(rule => rule.class === kind)?.says

/** What a change is about that brings such a cause about; undefined where none is known to. */
export const subjectOfClass = (kind: string): RegExp | undefined =>
  kind === 'network.dns' ? /dns/i : undefined
