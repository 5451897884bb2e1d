/** Numbers, booleans and UUIDs as a PostgreSQL array literal; null where there is none. */
export const plainArray = (values: readonly (number | string | boolean | null)[]): string =>
  `{${values.map(value => value ?? 'NULL').join(',')}}`

/** Texts as a PostgreSQL array literal, or null when no element has one, which costs nothing to read. */
export function textArray(values: readonly (string | null)[]): string | null {
  if (values.every(value => value === null)) return null
  return `{${values.map(quoted).join(',')}}`
}

const quoted = (value: string | null): string =>
  value === null ? 'NULL' : `"${value.replace(/["\\]/g, String.raw`\$&`)}"`
