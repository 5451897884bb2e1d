import type { Incident } from './incident.ts'
import type { BadText, MovedMetric, Signs } from './read-signs.ts'
import type { SymptomKind } from './symptom-kinds.ts'

/** A cause that is nobody's commit. */
export interface OperationalCause {
  /** From the closed lists of a report. */
  readonly class: string
  readonly remedy: string
  /** How plainly the evidence says it, 0 to 1. */
  readonly strength: number
  /** The service it is seen at. */
  readonly component: string
  readonly text: string
  readonly evidence: readonly string[]
  /** Signs of which it may be the effect of a change, where one explains them; none when no change brings it about. */
  readonly effectOf: readonly SymptomKind[]
}

interface Rule {
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

const rules: readonly Rule[] = [
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

/** The operational causes that the evidence names, strongest first; ties by class. */
export function recogniseOperational(incident: Incident, signs: Signs): OperationalCause[] {
  return [
    ...rules.flatMap(rule => judge(rule, signs)),
    ...outsiders(incident, signs),
    ...surge(incident, signs)
  ].sort((a, b) => b.strength - a.strength || (a.class < b.class ? -1 : 1))
}

const ids = (ones: readonly { readonly id?: string }[]): string[] =>
  ones.flatMap(({ id }) => (id === undefined ? [] : [id]))

function judge(
  { class: kind, remedy, says, shows, plainness, effectOf }: Rule,
  { texts, moved }: Signs
): OperationalCause[] {
  const said = says ? texts.filter(({ text, from }) => from !== 'metric' && says.test(text)) : []
  const shown = shows
    ? moved.filter(
        ({ metric, change }) => change.direction === shows.direction && shows.name.test(metric.name)
      )
    : []
  // A gauge alone names a cause only where words may be missing; words alone do.
  const doubt = doubtAfter(said) * (shown.length > 0 ? 0.6 : 1)
  const [first] = said.toSorted((a, b) => b.weight - a.weight)
  const component = first?.service ?? shown[0]?.metric.service
  return component === undefined
    ? []
    : [
        {
          class: kind,
          remedy,
          component,
          strength: plainness * (1 - doubt),
          text: first ? `${component} says: ${shorten(first.text)}` : describe(shown[0]),
          effectOf: effectOf ?? [],
          evidence: ids([...said, ...shown.map(({ metric }) => metric)])
        }
      ]
}

/** What remains of doubt after these texts: they name a cause, so each counts twice its share of the signs. */
const doubtAfter = (texts: readonly BadText[]): number =>
  texts.reduce((rest, { weight }) => rest * (1 - weight) ** 2, 1)

const shorten = (text: string): string => (text.length > 120 ? `${text.slice(0, 117)}...` : text)
const describe = (moved: MovedMetric | undefined): string =>
  moved
    ? [
        `${moved.metric.service} ${moved.metric.name}`,
        `went from ${moved.change.before.toPrecision(3)} to ${moved.change.after.toPrecision(3)}`
      ].join(' ')
    : ''

const hostName = /\b(?:[a-z\d-]+\.)+(?:com|net|io|org|dev|cloud|co)\b/gi
const failing =
  /timed? ?out|deadline|\b5\d\d\b|refused|unavailable|unreachable|reset|outage|degraded/i

/** Calls that fail at a host of somebody else's, by a public name that is no service here. */
function outsiders({ alert }: Incident, { texts }: Signs): OperationalCause[] {
  const found = texts.filter(
    ({ text, from }) =>
      from !== 'metric' && failing.test(text) && (text.match(hostName) ?? []).length > 0
  )
  const [first] = found.toSorted((a, b) => b.weight - a.weight)
  const host = first?.text.match(hostName)?.[0]
  return first && host !== undefined
    ? [
        {
          class: 'dependency.external',
          remedy: 'contact_provider',
          component: first.service || alert.service,
          strength: 0.85 * (1 - doubtAfter(found)),
          text: `calls of ${first.service} to ${host} fail: ${shorten(first.text)}`,
          effectOf: [],
          evidence: ids(found)
        }
      ]
    : []
}

const requestRate =
  /requests?_?(?:per|rate|count|total)|\b[rq]ps\b|hits|throughput|active_?(?:users|sessions)|concurrent/i
const surgeWords =
  /flash ?sale|campaign|marketing|surge|spike in (?:traffic|requests|orders)|viral|promo|black friday|peak|traffic (?:increase|spike|surge)|bot(?:s| traffic)|crawler|scrap(?:er|ing)|ddos/i
// Half as many requests again, all at the entries, is more than a deploy or a retry makes of itself.
const leastSurge = 1.5

/** More requests at the places where requests enter: not a service whose callers alone ask more often. */
function surge({ spans }: Incident, { moved, texts }: Signs): OperationalCause[] {
  const callees = new Set(
    spans.flatMap(span => {
      const parent = spans.find(
        other => other.spanId === span.parentId && other.traceId === span.traceId
      )
      return parent && parent.service !== span.service ? [span.service] : []
    })
  )
  const grown = moved.filter(
    ({ metric, change }) =>
      requestRate.test(metric.name) &&
      !/error|fail|retr|cpu|mem/i.test(metric.name) &&
      change.direction === 'up' &&
      change.after >= leastSurge * change.before &&
      change.before > 0
  )
  const entries = grown.filter(({ metric }) => !callees.has(metric.service))
  const said = texts.filter(({ text, from }) => from !== 'metric' && surgeWords.test(text))
  const [first] = entries
  if (!first && said.length === 0) return []
  const growth = first
    ? Math.min(0.9, 0.45 + 0.2 * Math.log2(first.change.after / first.change.before))
    : 0
  const doubt = doubtAfter(said) * (1 - growth)
  return [
    {
      class: 'load.traffic_surge',
      remedy: 'scale',
      component: first?.metric.service ?? said[0]?.service ?? '',
      strength: first ? 0.95 * (1 - doubt) : 0.6 * (1 - doubt),
      text: first ? describe(first) : `${said[0]?.service} says: ${shorten(said[0]?.text ?? '')}`,
      effectOf: ['traffic'],
      evidence: ids([...entries.map(({ metric }) => metric), ...said])
    }
  ]
}
