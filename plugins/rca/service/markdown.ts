import { visible } from './investigate/hostile-text.ts'

/** Markdown that this plugin wrote: the only text that is not made inert when it is put into more of it. */
export interface Markdown {
  readonly markdown: string
}

/** Text of others, a figure, or Markdown of ours; null is nothing. */
type Part = string | number | null | Markdown

/**
 * Markdown whose every interpolation is inert: what a sender, Datadog or a model wrote is shown as it is and is never
 * a link, an image, HTML, a mention, a table cell or a heading. Markdown made here before goes in as it is.
 */
export const md = (words: TemplateStringsArray, ...parts: readonly Part[]): Markdown => ({
  markdown: words.map((word, at) => (at === 0 ? word : `${written(parts[at - 1])}${word}`)).join('')
})

const written = (part: Part | undefined): string => {
  if (part === undefined || part === null) return ''
  if (typeof part === 'object') return part.markdown
  return typeof part === 'number' ? String(part) : inert(part)
}

export const nothing: Markdown = { markdown: '' }

/** Several as one, without those that are empty. */
export const joined = (parts: readonly Markdown[], between: string): Markdown => ({
  markdown: parts
    .map(part => part.markdown)
    .filter(Boolean)
    .join(between)
})

/** A plain sentence of ours; the formatter takes a template without a part for a document of its own. */
export const words = (text: string): Markdown => ({ markdown: written(text) })

/** A line across. */
export const rule: Markdown = { markdown: '---' }

/** A title of ours, level 1 to 3. */
export const heading = (level: 1 | 2 | 3, title: string): Markdown => ({
  markdown: `${'#'.repeat(level)} ${written(title)}`
})

/** A query as it was asked, in one line; in a cell of a table a bar would end the cell. */
export const code = (text: string, inTable = false): Markdown => {
  const shown = visible(text).replaceAll('`', "'") || ' '
  return { markdown: `\`${inTable ? shown.replaceAll('|', '\u2223') : shown}\`` }
}

/** A link to Datadog's own pages: `appUrl` is the account's, and all that is of others is encoded. */
export function link(
  name: string,
  appUrl: string,
  path: readonly string[],
  query: Readonly<Record<string, string | number>> = {}
): Markdown {
  const pairs = Object.entries(query).map(([key, value]) => `${key}=${encoded(String(value))}`)
  const address = [appUrl, ...path.map(encoded)].join('/')
  return md`[${name}](${{ markdown: `${address}${pairs.length > 0 ? '?' : ''}${pairs.join('&')}` }})`
}

// A parenthesis that encodeURIComponent leaves alone would end the link.
const encoded = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[()*!'~]/g, each => {
    return `%${each.charCodeAt(0).toString(16).toUpperCase()}`
  })

/** In one line and without characters nobody sees; what Markdown, HTML or Datadog would act on is told apart. */
const inert = (text: string): string =>
  visible(text)
    .trim()
    .replace(/[\\`*_{}[\]<>()|!~&$]/g, '\\$&')
    .replace(/^[#+=-]/, '\\$&')
    .replace(/^(\d{1,9})([.)])/, '$1\\$2')
    .replace(/:(?=\/)/g, '\u2236')
    .replace(/\/(?=\/)/g, '\\/')
    .replace(/(?<![a-z])(javascript|vbscript|data|mailto|xmpp|tel):/gi, '$1\u2236')
    .replace(/www\./gi, each => each.replace('.', '\\.'))
    .replaceAll('@', '\uff20')
