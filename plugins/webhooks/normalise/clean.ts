const escape = String.fromCharCode(27)
const ansi = new RegExp(`${escape}\\[[0-9;?]{0,32}[@-~]`, 'g')
const controls = /[^\P{Cc}\t\n]/gu
// Bidirectional overrides and tag characters hide text from a reader while a model still sees it.
const invisible =
  /[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]|\u{e0001}|[\u{e0020}-\u{e007f}]/gu

// Most texts need no cleaning, and to see that is cheaper than to try.
const ascii = /^[ -~]*$/
const asciiBlock = /^[ -~\t\n]*$/
const isPlainLine = (text: string): boolean =>
  ascii.test(text) && !text.includes('  ') && text.trim().length === text.length
const isPlainBlock = (text: string): boolean =>
  asciiBlock.test(text) && text.trim().length === text.length

/** Shortens to `max` UTF-16 units; what was cut shows as a final `…` and no surrogate pair is split. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text
  return `${text.slice(0, max - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** Text that PostgreSQL can hold: no NUL and no lone surrogate. */
export const storable = (text: string, max: number): string =>
  shorten(text, max, head => head.replaceAll('\0', ''))

/** One line for names, titles and ids: white space runs, line breaks included, become one space. */
export const line = (text: string, max: number): string =>
  text.length <= max && isPlainLine(text)
    ? text
    : shorten(text, max, head =>
        head
          .replace(ansi, '')
          .replace(invisible, '')
          .replace(/[\s\u0085]+/g, ' ')
          .replace(controls, '')
          .trim()
      )

/** Several lines for messages: newline and tab stay, escape sequences and invisible characters go. */
export const block = (text: string, max: number): string =>
  text.length <= max && isPlainBlock(text)
    ? text
    : shorten(text, max, head =>
        head
          .replace(ansi, '')
          .replace(/\r\n?/g, '\n')
          .replace(controls, '')
          .replace(invisible, '')
          .trim()
      )

/** Cleans no more than could be kept, for 1 MB of characters to remove costs more than the rest of the reading. */
function shorten(text: string, max: number, clean: (head: string) => string): string {
  const most = max * 2 + 64
  if (text.length <= most) return cut(clean(text.toWellFormed()), max)
  return cut(`${clean(text.slice(0, most).toWellFormed())}…`, max)
}
