// Controls, line ends, and what Unicode says is shown as nothing: bidi controls, joiners, selectors, tag letters.
const invisible = /[\p{Cc}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb]/gu

/** The text without characters that nobody sees, in one line. */
export const visible = (text: string): string => text.toWellFormed().replace(invisible, ' ')

/** Text of telemetry or of a model for people: no invisible character, and no address that can be followed. */
export const inertText = (text: string): string =>
  visible(text)
    .replace(/\b([a-z][a-z0-9+.-]{1,20}):\/\//gi, '$1[:]//')
    .replace(/\b(javascript|data|vbscript):/gi, '$1[:]')

/**
 * Sentences that speak to whoever reads instead of telling what happened. It finds the usual ones only: what keeps
 * an obeying model harmless is that it can reach nothing but tools that read.
 */
export const looksLikeInstruction = (text: string): boolean =>
  /\b(?:ignore|disregard|forget)\b.{0,40}\b(?:previous|prior|above|all|earlier|instruction|rule)/i.test(
    text
  ) ||
  /\b(?:you are (?:now|an? )|new instructions?|system prompt|as an ai)\b/i.test(text) ||
  /<\/?\s*(?:system|assistant|instructions?|untrusted)\b/i.test(text) ||
  /\b(?:call|use|invoke|run)\b.{0,30}\b(?:tool|function|submit_analysis)\b/i.test(text)

/** Lines of others in an envelope that they cannot close; whatever ends a line in one of them becomes a blank. */
export const untrusted = (source: string, lines: readonly string[]): string =>
  [
    `<untrusted source="${source.replace(/[^\w.-]/g, '_')}">`,
    ...lines.map(line => visible(line).replace(/<(?=\/?\s*untrusted)/gi, '‹')),
    '</untrusted>'
  ].join('\n')
