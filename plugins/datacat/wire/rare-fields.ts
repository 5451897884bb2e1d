/** What only some items have, as JSON text; null when this one has none of it. */
export function rareFields(fields: object): string | null {
  const text = JSON.stringify(fields)
  return text === '{}' ? null : text
}
