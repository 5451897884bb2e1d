import { line } from './clean.ts'
import { datadogVariables, fold, names } from './names.ts'

const whole = /^\$[A-Za-z_]\w{0,99}(?:\[[^\]\n]{0,99}\])?$/
const candidates =
  /\$([A-Z][A-Z0-9_]{0,60})(?![A-Za-z0-9_])(?:\[[^\]\n]{1,99}\])?|\{\{[#^/]?\s{0,4}([\w.-]{1,80})[^{}\n]{0,80}\}\}/g
const monitorTag =
  /^(?:value|comparator|(?:warn_)?threshold|(?:is|last)_\w+|(?:log|event|span|issue|rum)\..+|.+\.name)$/
const proseNames = new Set(
  [...names.title, ...names.message, 'impact', 'logs_sample', 'alert_status', 'notes'].flatMap(
    name => [fold(name), fold(name.split('.').at(-1) ?? name)]
  )
)

/**
 * Template variables left in a text; in prose, where `$5` and `{{ x }}` are ordinary, only Datadog's own names
 * count.
 */
function unresolvedIn(text: string, prose: boolean): string[] {
  if (!text.includes('$') && !text.includes('{{')) return []
  const trimmed = text.length <= 256 ? text.trim() : ''
  if (!prose && whole.test(trimmed)) return [trimmed]
  const found: string[] = []
  for (const match of text.matchAll(candidates)) {
    const [all, variable, tag] = match
    const counts =
      variable === undefined ? !prose || monitorTag.test(tag ?? '') : datadogVariables.has(variable)
    if (counts) found.push(all)
    if (found.length >= 20) break
  }
  return found
}

/** Whether a value says nothing: for prose only when it is nothing but one of Datadog's variables. */
export function isUnresolved(text: string, prose: boolean): boolean {
  const found = unresolvedIn(text, prose)
  return prose ? found.length === 1 && found[0] === text.trim() : found.length > 0
}

/** Every distinct template variable left anywhere in the payload, in order, at most 50. */
export function listUnresolved(payload: unknown): string[] {
  const found = new Set<string>()
  visit(payload, '', found)
  return [...found]
}

function visit(value: unknown, key: string, found: Set<string>): void {
  if (found.size >= 50) return
  if (typeof value === 'string') {
    if (!value.includes('$') && !value.includes('{{')) return
    for (const variable of unresolvedIn(value, proseNames.has(fold(key))))
      if (found.size < 50) found.add(line(variable, 200))
  } else if (Array.isArray(value)) {
    for (const item of value) visit(item, key, found)
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, item] of Object.entries(value)) visit(item, name, found)
  }
}
