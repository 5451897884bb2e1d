/** Request headers as Node gives them; names in any case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

/** One header as text, empty when it is absent; of several the first counts. */
export function header(headers: Headers, name: string): string {
  const exact = headers[name]
  if (typeof exact === 'string') return exact
  const key = Object.keys(headers).find(given => given.toLowerCase() === name)
  const value = key === undefined ? undefined : headers[key]
  return typeof value === 'string' ? value : (value?.[0] ?? '')
}
