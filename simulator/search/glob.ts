/**
 * Whether a text has the form of a pattern: `*` stands for any text, `?` for one character;
 * no regular expression, so that what a caller writes costs no more than its length times that of the text.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0
  let p = 0
  let star = -1
  let retry = 0
  while (at < text.length) {
    if (pattern[p] === '*') {
      star = p++
      retry = at
    } else if (pattern[p] === '?' || (p < pattern.length && pattern[p] === text[at])) {
      p++
      at++
    } else if (star >= 0) {
      p = star + 1
      at = ++retry
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
