import type { ElicitRequestFormParams } from '@modelcontextprotocol/server'
/** The smallest picture and sound, as base64. */
export const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=='
export const wav = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA='
export const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] })
export const image = { type: 'image' as const, data: png, mimeType: 'image/png' }

/** The fields of a form. */
export type Fields = ElicitRequestFormParams['requestedSchema']['properties']

/** A form as elicitation asks for it. */
export const form = (message: string, properties: Fields, required: readonly string[]) => ({
  message,
  requestedSchema: { type: 'object' as const, properties, required: [...required] }
})
