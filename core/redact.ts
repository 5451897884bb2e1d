const secrets = new Set<string>()
const masked = '[redacted]'

/** Makes a value unprintable for the rest of the process; shorter than 8 characters it would mask ordinary words. */
export function registerSecret(value: string | undefined): void {
  if (value && value.length >= 8)
    for (const form of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)])
      secrets.add(form)
}

const name =
  '[\\w-]{0,40}(?:(?:api|app|application|access|secret|private|encryption)[_-]?key(?:auth)?|' +
  'passw(?:or)?d|secrets?|authorization|cookie|token)'
// A member of JSON, also of JSON inside a string, where its quotes are escaped.
// The whole value goes, and JSON stays JSON.
const member = new RegExp(
  `(?<!\\\\)(\\\\{0,15})"(${name})\\1"\\s*:\\s*` +
    `(?:\\[[^\\][{}]*\\]|(?<!\\\\)"(?:[^"\\\\]|\\\\.)*"|\\1".*?(?<!\\\\)\\1"|-?\\d[\\d.e+-]*)`,
  'gis'
)
const header =
  /((?<![\w-])(?:proxy-)?(?:authorization|(?:set-)?cookie)\s*[:=]\s*)([^\r\n"'\\]{4,})/gi
const named = new RegExp(
  `((?<![\\w-])${name}(?![\\w-])\\\\*"?\\s*([:=])\\s*\\\\*"?)(?!(?:null|true|false)\\b)` +
    `((?:(?:bearer|basic)\\s+)?(?:'[^']*'|[^"'\\\\\\s,;&}]{4,}))`,
  'gi'
)
const scheme = /\b((?:bearer|basic)\s+)([a-z0-9._~+/=-]{8,})/gi
const shaped = [
  // What this platform makes, exactly: a setting such as RAYNE_DATACAT_HUNG_AFTER_SECONDS is none.
  /\brayne_(?:api|ingest|session|setup)_[\w-]{32,}/g,
  /\bsk-ant-[a-z0-9_-]{8,}/gi,
  /(?<=[a-z]:\/\/[^\s:/@]{0,64}:)[^\s@/"\\]{1,256}(?=@)/gi
]

/** `<ingest secret>`, `$RAYNE_TOKEN`, `RAYNE_SECRET_KEY`: what help says in the place of a secret. */
const placeholder = /<[^<>]*>|\$\{?[A-Z][A-Z_]*\}?|\b[A-Z]+(?:_[A-Z]+)+\b/g
/** No word of a sentence has a digit, a capital inside, or twenty letters. */
const isNoWord = (value: string): boolean =>
  /\d|[a-z][A-Z]|\S{20}/.test(value.replaceAll(placeholder, ''))
/** A sentence goes on with a word that is not the next name of a list. */
const goesOn = /^\s+[a-z'-]+(?![\w'-]*\s*[:=])/i

/** The one choke point: every text that leaves for a log, an error, a model or a notification passes here. */
export function redact(text: string): string {
  let clean = text
  for (const secret of secrets) if (clean.includes(secret)) clean = clean.replaceAll(secret, masked)
  clean = clean.replace(
    member,
    (_all, quote: string, key: string) => `${quote}"${key}${quote}":${quote}"${masked}${quote}"`
  )
  for (const shape of shaped) clean = clean.replace(shape, masked)
  return clean
    .replace(scheme, (all: string, before: string, value: string) =>
      isNoWord(value) ? `${before}${masked}` : all
    )
    .replace(header, (all: string, before: string, value: string) =>
      value.includes('=') || isNoWord(value) ? `${before}${masked}` : all
    )
    .replace(named, maskNamed)
}

/** Our own sentences say `RAYNE_INGEST_SECRETS: each secret needs …`: that is no value. */
function maskNamed(all: string, ...groups: unknown[]): string {
  const [before, sign, value, at, whole] = groups as [string, string, string, number, string]
  const rest = whole.slice(at + all.length, at + all.length + 40)
  const isPlaceholder = /^(?:<.*|bearer|basic|)$/i.test(value.replaceAll(placeholder, '').trim())
  const isProse = sign === ':' && !value.startsWith("'") && goesOn.test(rest)
  return isNoWord(value) || !(isPlaceholder || isProse) ? `${before}${masked}` : all
}
