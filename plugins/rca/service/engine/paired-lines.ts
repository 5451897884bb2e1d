import type { Meaning } from './code-meaning.ts'
import { isCosmeticLine, type Hunk } from './read-diff.ts'

interface Pair {
  readonly was: string
  readonly now: string
  /** The tokens at which both lines differ, in order. */
  readonly differences: readonly (readonly [was: string, now: string])[]
}

const tokensOf = (line: string): string[] =>
  line.match(/"[^"]*"|'[^']*'|`[^`]*`|[\w.$]+|[<>=!&|+*/%-]+|\S/g) ?? []

/** Removed and added lines that are one line with up to two tokens changed. */
function pairsOf(hunk: Hunk): Pair[] {
  const removed = hunk.removed
    .filter(line => !isCosmeticLine(line))
    .map(line => ({ line, tokens: tokensOf(line) }))
  return hunk.added
    .filter(line => !isCosmeticLine(line))
    .flatMap(now => {
      const tokens = tokensOf(now)
      for (const was of removed) {
        if (was.tokens.length !== tokens.length) continue
        const differences = tokens.flatMap((token, index) => {
          const before = was.tokens[index] ?? ''
          return before === token ? [] : [[before, token] as const]
        })
        if (differences.length > 0 && differences.length <= 2 && tokens.length > differences.length)
          return [{ was: was.line, now, differences }]
      }
      return []
    })
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const isOperator = (token: string): boolean => /^[<>=!&|+*/%-]+$/.test(token)
const isName = (token: string): boolean => /^["'`]?[A-Za-z_$][\w.$:/@-]*["'`]?$/.test(token)
const environment =
  /getenv|environ|process\.env|\benv\b|viper\.|config(?:uration)?[.[(]|settings?[.[(]|values\.|@Value|\bENV\b|secretKeyRef|configMapKeyRef/i
const serialised =
  /json|yaml|xml|proto|\bdb:|@(?:JsonProperty|SerializedName|Column|Field)|column|["'][\w.-]+["']\s*:|\[["'][\w.-]+["']\]|\.get\(["']|=\s*\d+;|field|header|topic|queue|event|payload|\bkey\b|attr|label/i
const address =
  /https?:\/\/|\b[\w-]+(?:\.[\w-]+)+:\d|\bhost\w*|endpoint|\b\w*_?ur[il]\b|\bport\b|\baddr/i

/** What changed where one line became another: names, settings, addresses, conditions. */
export function pairMeanings(hunk: Hunk): Meaning[] {
  const meanings = pairsOf(hunk).flatMap(({ was, now, differences }): Meaning[] => {
    const [[before, after] = ['', '']] = differences
    const text = `${before} became ${after}`
    if (differences.every(([one, other]) => isOperator(one) && isOperator(other)))
      return [
        { mechanism: 'condition_changed', strength: 0.9, text: `changes a condition: ${now}` }
      ]
    if (
      address.test(was) &&
      !environment.test(was) &&
      differences.some(([one]) => /["'`\d:/.]/.test(one))
    )
      return [{ mechanism: 'address_changed', strength: 0.9, text: `changes an address: ${text}` }]
    // The number of a field is its name on the wire.
    if (
      hunk.file.endsWith('.proto') &&
      differences.every(([one, other]) => /^\d+$/.test(one + other))
    )
      return [{ mechanism: 'name_changed', strength: 0.9, text: `renumbers a field: ${now}` }]
    if (!differences.some(([one, other]) => isName(one) && isName(other))) return []
    // In settings a key is a name, and what stands behind it is a value.
    const isSettings = /\.(?:ya?ml|toml|ini|properties|env|conf)$/i.test(hunk.file)
    if (
      isSettings &&
      differences.every(([one]) => !new RegExp(`^\\W*${escape(one)}\\s*[:=]`).test(was))
    )
      return []
    if (environment.test(was) || /^[A-Z][A-Z\d_]+\s*[:=]/.test(was))
      return [{ mechanism: 'setting_renamed', strength: 0.9, text: `renames a setting: ${text}` }]
    // Another function called is no other name on the wire.
    const isCall = differences.some(([one]) => was.includes(`${one}(`))
    return serialised.test(`${was} ${hunk.file}`) && !isCall
      ? [{ mechanism: 'name_changed', strength: 0.9, text: `renames a field: ${text}` }]
      : []
  })
  return [...meanings, ...changedClauses(hunk), ...bumpedDependencies(hunk)]
}

const decides =
  /^(?:\}?\s*(?:else\s+)?if|elif|while|for|return|when|case|unless|where)\b|\.filter\(|\?\s.*:/
/** What a line compares and combines; the names in it may change, these decide. */
const comparisons = (line: string): string =>
  (line.match(/[<>]=?|[!=]==?|&&|\|\||!(?=\w)|\b(?:and|or|not|in|is)\b/g) ?? []).join(' ')

/** A condition that gained or lost a clause. */
function changedClauses(hunk: Hunk): Meaning[] {
  const removed = hunk.removed.filter(line => decides.test(line) && comparisons(line) !== '')
  return hunk.added
    .filter(line => decides.test(line) && comparisons(line) !== '')
    .flatMap(now => {
      const tokens = new Set(tokensOf(now))
      const isLike = removed.some(was => {
        const others = tokensOf(was)
        const shared = others.filter(token => tokens.has(token)).length
        return (
          shared / Math.max(tokens.size, others.length) >= 0.6 &&
          comparisons(was) !== comparisons(now)
        )
      })
      return isLike
        ? [
            {
              mechanism: 'condition_changed' as const,
              strength: 0.8,
              text: `changes a condition: ${now}`
            }
          ]
        : []
    })
}

/** Lists of libraries, and what an image is built from. */
export const dependencyFiles =
  /(?:^|\/)(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements[^/]*\.txt|Pipfile|pyproject\.toml|pom\.xml|build\.gradle\S*|Gemfile|Cargo\.toml|composer\.json|Dockerfile\S*|mix\.exs)$/i
const version = /v?(\d+)(?:\.(\d+))?(?:\.(\d+))?/

/** Libraries and images that got another version; a major one says more than a patch. */
function bumpedDependencies(hunk: Hunk): Meaning[] {
  if (!dependencyFiles.test(hunk.file)) return []
  const nameOf = (line: string): string =>
    /[A-Za-z@][\w./@-]{0,120}[A-Za-z](?=\W)/.exec(line)?.[0] ?? ''
  const versionOf = (line: string): RegExpExecArray | null =>
    version.exec(line.slice(line.indexOf(nameOf(line)) + nameOf(line).length))
  const images = [hunk.removed, hunk.added].map(lines => lines.find(line => /^FROM\s/i.test(line)))
  if (images[0] !== undefined && images[1] !== undefined)
    return [
      { mechanism: 'dependency_bumped', strength: 0.7, text: `${images[0]} became ${images[1]}` }
    ]
  return hunk.added.flatMap(now => {
    const name = nameOf(now)
    const was = hunk.removed.find(line => nameOf(line) === name)
    const [before, after] = [was && versionOf(was), versionOf(now)]
    if (!before || !after || name === '' || before[0] === after[0]) return []
    const level = [1, 2, 3].find(part => before[part] !== after[part]) ?? 3
    const strength = [1, 0.7, 0.35][level - 1] ?? 0.35
    return [
      {
        mechanism: 'dependency_bumped' as const,
        strength,
        text: `${name} ${before[0]} became ${after[0]}`
      }
    ]
  })
}
