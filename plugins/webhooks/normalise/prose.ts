/** What Datadog's default payload says in words only; null where it says nothing. */
export interface Prose {
  /** The group that triggered, as a comma list of tags. */
  readonly scope: string | null
  readonly monitorId: string | null
  readonly metric: string | null
  /** The monitor's page. */
  readonly link: string | null
  /** The picture of the graph. */
  readonly snapshot: string | null
}

// Datadog's own part stands at the end of a message that may be long.
const maxSearched = 20_000
const tag = String.raw`[a-z][\w./-]{0,100}:[^{},\]\s*"']{1,200}`
const group = `${tag}(?:\\s{0,4},\\s{0,4}${tag}){0,20}`
const afterOn = new RegExp(`\\bon\\s{0,4}\\{\\s{0,4}(${group})\\s{0,4}\\}`, 'i')
const place = '(?:host|service|env|pod|cluster|container|region|device)'
const inBraces = new RegExp(
  `\\{\\s{0,4}((?=[^}]{0,400}\\b${place}\\w{0,20}:)${group})\\s{0,4}\\}`,
  'i'
)
const overGroup = new RegExp(`\\bover \\*\\*(${group})\\*\\*`, 'i')
const measured = /\*\*([a-z][\w.]{2,200}\.[\w.]{1,200})\*\* over \*\*/i
const monitorPage = /https?:\/\/[\w.-]{1,100}\/monitors[/#]0*([1-9]\d{0,39})(?!\d)/
const ownPage = new RegExp(`Monitor Status\\]\\((${monitorPage.source})`)
const picture =
  /!\[[^\]\n]{0,100}\]\((https?:\/\/[^\s()<>"'\\]{0,1000}snapshot[^\s()<>"'\\]{0,1000})\)/

/** Reads the title and the text of a payload whose template has no field for the monitor and its group. */
export function readProse(title: string | null, message: string | null): Prose {
  const text = searched(message ?? '')
  const heading = title ?? ''
  const scope = first(afterOn, heading) ?? first(inBraces, heading) ?? first(overGroup, text)
  const page = first(ownPage, text) ?? monitorPage.exec(text)?.[0] ?? null
  return {
    scope: scope === null ? null : scope.replace(/\s+/g, ''),
    monitorId: page === null ? null : first(monitorPage, page),
    metric: first(measured, text),
    link: page,
    snapshot: first(picture, text)
  }
}

const first = (pattern: RegExp, text: string): string | null => pattern.exec(text)?.[1] ?? null

const searched = (text: string): string =>
  text.length <= maxSearched * 2
    ? text
    : `${text.slice(0, maxSearched)}\n${text.slice(-maxSearched)}`
