import type { CodeMechanism } from './mechanisms.ts'
import { isCosmeticLine, type Hunk } from './read-diff.ts'

/** One way in which a change can hurt, with what in it says so. */
export interface Meaning {
  readonly mechanism: CodeMechanism
  /** How sure the reading is, 0 to 1. */
  readonly strength: number
  readonly text: string
}

/** A rule reads lines that came or went, counting: what was removed and put back somewhere else did not change. */
interface Rule {
  readonly mechanism: CodeMechanism
  readonly strength: number
  readonly lost?: RegExp
  readonly gained?: RegExp
  readonly unlessGained?: RegExp
  readonly says: string
}

const rules: readonly Rule[] = [
  {
    mechanism: 'guard_removed',
    strength: 1,
    says: 'removes a check',
    lost: /[!=]==?\s*(?:nil|null|undefined|None)\b|\bis (?:not )?None\b|\?\.|\?\?|\.isPresent|\.orElse|unwrap_or|\bhasattr\(|\bisset\(|\bif\b.*\b(?:len|length|size|count|empty|exists|contains|has\w*)\b|\.get\([^()]+,[^()]+\)|\bok\s*:?=|!ok\b|isNaN|isFinite/
  },
  {
    mechanism: 'guard_removed',
    strength: 0.8,
    says: 'removes a handler of failures',
    lost: /\btry\b|\bcatch\b|\bexcept\b|\brescue\b|recover\(\)/
  },
  {
    mechanism: 'error_ignored',
    strength: 0.7,
    says: 'ignores an error',
    gained: /(?:^|,\s*)_\s*:?=|\bpass$|catch\s*(?:\(\w*\))?\s*\{\s*\}/
  },
  {
    mechanism: 'error_ignored',
    strength: 0.5,
    says: 'drops a check of an error',
    lost: /err\s*!=\s*nil|\.catch\(/
  },
  {
    mechanism: 'batching_removed',
    strength: 0.9,
    says: 'gives up a batch',
    lost: /\bbatch|\bbulk|\bIN\s*\(|\bJOIN\b|prefetch|preload|select_related|joinedload|eager|dataloader|\bm(?:ulti_?)?get\b|getMany|findAll|whereIn/i
  },
  {
    mechanism: 'cache_removed',
    strength: 0.9,
    says: 'no longer asks a cache',
    lost: /cache\w*\.?(?:get|fetch|lookup|load|remember|getOrLoad)|@?cached\b|@cacheable|memoi[sz]e|lru_cache|redis\.get/i
  },
  {
    mechanism: 'release_removed',
    strength: 1,
    says: 'no longer releases what it took',
    lost: /defer\s+\S*(?:close|unlock|cancel|release|stop|rollback|done|put)|\.(?:close|release|dispose|destroy|unsubscribe|cancel|rollback|free|unref|disconnect)\(|clear(?:Interval|Timeout)|remove(?:Event)?Listener|\bfinally\b|\bwith\s+\S+.*\bas\b|\busing\b|try\s*\(/i
  },
  {
    mechanism: 'eviction_removed',
    strength: 0.9,
    says: 'no longer bounds what it keeps',
    lost: /evict|\blru\b|max_?(?:entries|size|items|len)|maxsize|maxlen|expire|\bttl\b|\.delete\(|\bdelete\(|prune|trim\b|WeakMap|weakref|bounded|popleft|\.shift\(/i
  },
  {
    mechanism: 'lock_added',
    strength: 0.9,
    says: 'takes a lock',
    gained:
      /\.r?lock\(|\bmutex\b|synchronized|\bLock\(|FOR UPDATE|LOCK TABLE|semaphore|\.acquire\(|serializable|advisory_lock/i
  },
  {
    mechanism: 'lock_removed',
    strength: 0.9,
    says: 'gives up a lock',
    lost: /\.r?lock\(|\bmutex\b|synchronized|\bLock\(|FOR UPDATE|semaphore|\.acquire\(|\batomic|serializable/i
  },
  {
    mechanism: 'blocking_added',
    strength: 0.9,
    says: 'waits where it did not',
    gained:
      /\bsleep\(|time\.Sleep|Thread\.sleep|\w{1,60}Sync\(|runBlocking|\.join\(\)|\.result\(\)|\.block\(\)|time\.After\(/i
  },
  {
    mechanism: 'blocking_added',
    strength: 0.8,
    says: 'does in the request what was done beside it',
    lost: /\bgo\s+(?:func|\w+[.(])|\basync\b|Promise\.all|executor|\bspawn|background|enqueue|\.publish\(|\.submit\(|delay\(|errgroup|gather\(/i
  },
  {
    mechanism: 'cpu_heavy',
    strength: 0.8,
    says: 'computes more',
    gained:
      /\([^()]*[+*][^()]*\)[+*{]|MustCompile|re\.compile|new RegExp|bcrypt|scrypt|pbkdf2|argon2|deep_?(?:copy|clone)|JSON\.parse\(JSON\.stringify|levenshtein|gzip|compress|\bsort(?:ed)?\(|permut|cartesian/i
  },
  {
    mechanism: 'index_dropped',
    strength: 1,
    says: 'drops an index',
    gained: /DROP\s+INDEX|drop_index|remove_index|dropIndex/i
  },
  {
    mechanism: 'index_dropped',
    strength: 0.9,
    says: 'drops an index',
    lost: /CREATE\s+(?:UNIQUE\s+)?INDEX|add_index|db_index\s*=\s*True|@Index|index:\s*true|createIndex|USE INDEX/i
  },
  {
    mechanism: 'schema_changed',
    strength: 1,
    says: 'changes the schema',
    gained:
      /\b(?:ALTER|DROP|RENAME)\s+(?:TABLE|COLUMN|TYPE|CONSTRAINT)|SET NOT NULL|(?:drop|rename|remove|alter|change)_?(?:column|table|field)\b/i
  },
  {
    mechanism: 'schema_reference',
    strength: 0.7,
    says: 'asks a table',
    gained: /\b(?:FROM|INTO|UPDATE|JOIN)\s+["'`]?[a-z_][a-z\d_.]*|__tablename__|@Table\(|\.column\(/
  },
  {
    mechanism: 'registration_removed',
    strength: 1,
    says: 'no longer registers something',
    lost: /\b(?:un)?regist|\bsubscribe|handle(?:r|func)\b|\b(?:app|router|mux|server)\.(?:use|get|post|put|route|handle|include)|mount\(|include_router|\bprovide|\bbind\(|add_?(?:route|job|task|listener|plugin|middleware|agent|tool|handler|service)|^import\s+_|\binit\w*\(|\bsetup\w*\(|\benable\w*\(|INSTALLED_APPS/i
  },
  {
    mechanism: 'registration_removed',
    strength: 0.6,
    says: 'takes something off a list',
    lost: /^["'`]?[\w.:/-]+["'`]?(?:\([^()]*\))?,?$|^-\s+\S+$|^\w+:\s*\w+(?:\(\))?,$/
  },
  {
    mechanism: 'auth_changed',
    strength: 0.9,
    says: 'changes how callers are let in',
    lost: /auth|token|\bjwt|secret|credential|api_?key|signature|hmac|audience|issuer|\baud\b|\biss\b|scopes?\b|permission|\brole|rbac|\biam\b|cors|origin|csrf|bearer|set_?header|header\.(?:set|add)|policy|polic(?:y|ies)/i
  },
  {
    mechanism: 'auth_changed',
    strength: 0.7,
    says: 'asks for more before it lets in',
    gained:
      /require\w*(?:auth|role|scope|permission|login)|audience|issuer|verify\w*\(|\bscopes?\b|check_?permission|authorize|forbidden|unauthori[sz]ed/i
  },
  {
    mechanism: 'tls_changed',
    strength: 0.7,
    says: 'changes TLS',
    lost: /InsecureSkipVerify|RootCAs|ca_?(?:file|cert|bundle)|truststore|keystore|\bcert\w*\b.*[=:]|verify\s*=|minVersion/i
  },
  {
    mechanism: 'tls_changed',
    strength: 0.8,
    says: 'changes TLS',
    gained:
      /RootCAs|ca_?(?:file|cert|bundle)|truststore|keystore|client_?auth|requireAndVerify|\.pem\b|\.crt\b|VersionTLS13/i
  },
  {
    mechanism: 'validation_added',
    strength: 0.9,
    says: 'refuses what it took before',
    gained:
      /\braise\s+\w+|\bthrow\s+new|\brequired\b|NOT NULL|\bassert\b|\bstrict\w*|additionalProperties["']?\s*[:=]\s*[fF]alse|DisallowUnknownFields|\b4(?:00|22)\b|BadRequest|\breject|MustParse|forbid\b|errors?\.New\(["']?invalid/i
  },
  {
    mechanism: 'type_changed',
    strength: 0.8,
    says: 'changes a type',
    gained:
      /\bparse(?:Int|Float)|\bint(?:32|64)?\(|\bfloat\w*\(|Decimal|strconv\.|toString\(|round\(|floor\(|trunc|\bstr\(/i
  },
  {
    mechanism: 'type_changed',
    strength: 0.9,
    says: 'changes a unit',
    lost: /\bUTC\b|time ?zone|[*/]\s*(?:100|1000|1e[369])\b|UnixMilli|\bcents?\b|millis/i
  },
  {
    mechanism: 'type_changed',
    strength: 0.9,
    says: 'changes a unit',
    gained:
      /Local\(|local ?time|time ?zone|[*/]\s*(?:100|1000|1e[369])\b|\.Unix\(|\bcents?\b|millis/i
  },
  {
    mechanism: 'fallback_removed',
    strength: 0.8,
    says: 'gives up a way out',
    lost: /\bretr(?:y|ies)|back_?off|fall_?back|circuit|breaker|hedg|\bdefault\w*\(|onError/i
  },
  {
    mechanism: 'backoff_removed',
    strength: 0.9,
    says: 'no longer waits between attempts',
    lost: /back_?off|jitter|\bsleep\(|time\.(?:Sleep|After)\(|\bdelay\w*\(|setTimeout\(/i
  },
  {
    mechanism: 'retry_added',
    strength: 0.8,
    says: 'tries again',
    gained: /\bretr(?:y|ies)|for\s+attempt|attempts?\b.*<|while\s*\(?true|resend|re_?queue/i
  },
  {
    mechanism: 'consumer_changed',
    strength: 0.8,
    says: 'changes how messages are taken',
    lost: /\back\(|\.nack\(|commit(?:Sync|Offset|_offset|Messages)|auto[._]?commit|requeue|group[._]?id|\btopic|dead_?letter|partition/i
  },
  {
    mechanism: 'consumer_changed',
    strength: 0.7,
    says: 'changes how messages are taken',
    gained:
      /auto[._]?commit|requeue|group[._]?id|\btopics?\b|partition_?key|max\.poll|isolation\.level/i
  },
  {
    mechanism: 'logging_raised',
    strength: 0.9,
    says: 'logs more',
    gained:
      /level["']?\s*[:=(]\s*["']?(?:debug|trace)|LOG_LEVEL.*(?:debug|trace)|dump(?:s|Request|Response)?\(/i
  },
  {
    mechanism: 'feature_enabled',
    strength: 0.7,
    says: 'turns something on',
    gained: /(?:enabled?|feature\w*|flag\w*|default)["']?\s*[:=]\s*(?:true|True|["']on["']|1\b)/
  }
]

const matching = (lines: readonly string[], pattern: RegExp): string[] =>
  lines.filter(line => pattern.test(line))
/** A line short enough for a sentence. */
export const quote = (line: string): string => (line.length > 70 ? `${line.slice(0, 67)}...` : line)

/** What the code of a hunk does differently. Comments, styles and words in logs say nothing. */
export function codeMeanings(hunk: Hunk): Meaning[] {
  const added = hunk.added.filter(line => !isCosmeticLine(line))
  const removed = hunk.removed.filter(line => !isCosmeticLine(line))
  return rules.flatMap(({ mechanism, strength, lost, gained, unlessGained, says }) => {
    const pattern = lost ?? gained
    if (!pattern || (unlessGained && added.some(line => unlessGained.test(line)))) return []
    const came = matching(added, pattern)
    const went = matching(removed, pattern)
    const [more, less] = lost ? [went, came] : [came, went]
    const [line] = more
    return line !== undefined && more.length > less.length
      ? [{ mechanism, strength, text: `${says}: ${quote(line)}` }]
      : []
  })
}
