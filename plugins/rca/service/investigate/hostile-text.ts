const invisible =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** The text without characters that nobody sees. */
export const visible = (text: string): string => text.replace(invisible, ' ')

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

/** Text of others in an envelope that it cannot close. */
export const untrusted = (source: string, text: string): string =>
  [
    `<untrusted source="${source.replace(/[^\w.-]/g, '_')}">`,
    visible(text).replace(/<(?=\/?\s*untrusted)/gi, '‹'),
    '</untrusted>'
  ].join('\n')
