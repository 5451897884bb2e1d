/** What a sign of trouble is a sign of; one text may be several. */
export type SymptomKind =
  | 'crash'
  | 'missing'
  | 'schema'
  | 'parse'
  | 'size'
  | 'auth'
  | 'certificate'
  | 'dns'
  | 'connect'
  | 'timeout'
  | 'pool'
  | 'memory'
  | 'cpu'
  | 'disk'
  | 'descriptors'
  | 'threads'
  | 'latency'
  | 'database'
  | 'lock'
  | 'throttled'
  | 'traffic'
  | 'cache'
  | 'queue'
  | 'data'
  | 'settings'
  | 'restart'
  | 'errors'

/** The words each kind is known by, in log lines, alerts, span errors and names of metrics alike. */
const words: Readonly<Record<SymptomKind, RegExp>> = {
  crash:
    /\bpanic|nil pointer|null ?pointer|segfault|sig(?:segv|abrt)|cannot read propert|undefined is not|is not a function|attributeerror|typeerror|keyerror|index ?(?:out of|error)|out of (?:range|bounds)|nosuchelement|classcast|unhandled|uncaught|stack overflow|concurrent map|assertion failed|divi(?:de|sion) by zero/i,
  missing:
    /does not exist|no such (?:table|column|file|key|method|field|index|topic|bucket)|unknown (?:column|field|type|agent|handler|tool|metric|option|method|operation|queue)|not (?:found|registered|defined|implemented|recogni[sz]ed)|unregistered|undefined (?:function|method|symbol|column|table|variable)|no (?:handler|route|provider|plugin|agent|matching|registered)|missing|cannot (?:import|find module)|importerror|module ?not ?found|no module named|classnotfound|nosuchmethod|undefined symbol|\b404\b|unimplemented/i,
  schema:
    /\brelation\b|\bcolumn\b|\btable\b.{0,120}(?:exist|missing|unknown)|schema|migration|unmarshal|deseriali[sz]|proto(?:buf)?\b|\bavro\b|field .{0,120}(?:unknown|missing|required|null)|constraint/i,
  parse:
    /parse|malformed|invalid (?:json|payload|character|input|format|value|argument|request|type)|unexpected (?:token|end|eof|field)|decod|unmarshal|validation|bad request|unprocessable|\b4(?:00|22)\b|cannot convert/i,
  size: /too (?:large|big|long)|larger than|exceed\w{0,10} (?:the )?(?:max|limit|size)|(?:message|payload|body|request|header)_?(?: size| too)|\b413\b|max(?:imum)? (?:message|size|length)/i,
  auth: /unauthori[sz]ed|forbidden|permission denied|access denied|\b40[13]\b|invalid (?:token|signature|credential|api key|audience|issuer|grant)|\bjwt\b|authenticat|signature (?:mismatch|does not match)|\bcsrf\b|\bcors\b/i,
  certificate: /x509|certificate|tls handshake|\bcert_|notafter|ssl routines|unable to verify/i,
  dns: /no such host|nxdomain|servfail|name resolution|getaddrinfo|enotfound|eai_again|\bdns\b|unknownhost|could not resolve/i,
  connect:
    /connection (?:refused|reset|closed|aborted)|econn(?:refused|reset)|no route to host|broken pipe|unreachable|could not connect|failed to connect|socket hang up|\b50[23]\b.{0,120}upstream|upstream connect/i,
  timeout:
    /time[d_ ]?-?out|deadline|context cancell?ed|\b504\b|etimedout|budget exceeded|aborted after/i,
  pool: /pool (?:is )?(?:exhaust|timeout|limit|full|empt|wait)|pool_|_pool|connection pool|too many (?:clients|connections)|connections? (?:slots|exhausted|limit|in use|available|unavailable)|acquir\w{1,10} (?:a )?(?:connection|conn)|wait\w{0,10} for (?:a )?(?:free )?conn|checkout timeout|db_connections|conns?_in_use|conn_wait/i,
  memory: /out of memory|\boom|heap|memory|\brss\b|\bgc\b|garbage collect|alloc|working_set/i,
  cpu: /\bcpu|cpu_|throttled_seconds|load average|event loop (?:lag|block)|run ?queue/i,
  disk: /no space left|disk|inode|read-only file|volume|enospc|\bwal\b.{0,120}full|filesystem/i,
  descriptors: /too many open files|emfile|file descriptor|open_fds|\bfds?\b/i,
  threads: /thread|goroutine|rejectedexecution|executor|worker(?:s)? (?:busy|exhaust|starv)/i,
  latency: /latency|slow|p9\d|duration|response time|_seconds_p|took \d|_ms\b|elapsed/i,
  database:
    /quer(?:y|ies)|\bselect\b|\bsql\b|\bdb_|seq(?:uential)? scan|full (?:table )?scan|rows (?:examined|scanned)|postgres|mysql|replica|\bindex\b/i,
  lock: /deadlock|lock (?:wait|timeout|held|contention)|could not obtain lock|lock_|_lock|contention|mutex|serialization failure|blocked/i,
  throttled:
    /\b429\b|rate[ _-]?limit|too many requests|throttl|quota|resource_?exhausted|load shed/i,
  traffic:
    /requests?_per|request_?rate|\b[rq]ps\b|throughput|traffic|surge|spike in (?:request|traffic)|hits_per|calls_per|retry storm|retrying|retried|attempt \d|overload|(?:doubled|tripled|quadrupled)|times (?:its|the|their) usual|amplif/i,
  cache: /cache|evict|\bhit_?rat|miss(?:es)?_?rat|redis|memcache|stampede/i,
  queue:
    /\blag\b|_lag|backlog|queue|consumer|offset|rebalanc|dead.?letter|\bdlq\b|unacked|redeliver|poison|partition/i,
  data: /stale|mismatch|incorrect|wrong|negative|duplicate|inconsisten|checksum|drift|rounding|corrupt|discrepan|unbalanced|off by/i,
  settings:
    /(?:missing|required|unset|empty|invalid|unknown) (?:\w+ )?(?:env|environment|config|setting|variable|option|secret)|not set\b|misconfigur|configmap|feature flag .{0,120}missing/i,
  restart:
    /restart|crashloop|oomkill|(?:liveness|readiness|startup) probe|back-off|killed|exit code|terminated|evicted/i,
  errors: /error|5xx|4xx|reject|refus|declin|denied|disabled|\b5\d\d\b|fail|exception|unavailable/i
}

const kinds = Object.entries(words) as [SymptomKind, RegExp][]

/** The kinds a text is a sign of. */
export const kindsOf = (text: string): SymptomKind[] =>
  kinds.filter(([, pattern]) => pattern.test(text)).map(([kind]) => kind)
