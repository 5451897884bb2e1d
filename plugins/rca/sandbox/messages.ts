/** What one call may use; bytes of memory are those of its JavaScript runtime. */
export interface Limits {
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly stackBytes: number
  readonly outputBytes: number
}

/** A call: JavaScript with a default export, its input as JSON, and the word its answer must carry. */
export interface Run {
  readonly kind: 'run'
  readonly nonce: string
  readonly code: string
  readonly input: string
  readonly limits: Limits
}

/** How a program failed; `message` is in its own words and short. */
export interface Failure {
  readonly kind: 'threw' | 'timeout' | 'memory' | 'output-limit' | 'crashed' | 'busy'
  readonly message: string
}

/** A question of the program to Datadog: a path, and its parameters as JSON. */
export interface Ask {
  readonly nonce: string
  readonly id: number
  readonly path: string
  readonly params: string
}

/** What the host answers to a question: JSON, or why there is none. */
export interface Answer {
  readonly nonce: string
  readonly id: number
  readonly ok: boolean
  readonly text: string
}

export type ToChild = Run | ({ readonly kind: 'answer' } & Answer)
export type FromChild =
  | { readonly kind: 'ready'; readonly uid: number; readonly networks: number }
  | ({ readonly kind: 'ask' } & Ask)
  | { readonly kind: 'done'; readonly nonce: string; readonly text: string }
  | ({ readonly nonce: string } & { readonly kind: 'failed'; readonly failure: Failure })

/** Splits a stream into lines of JSON; `broken` is told of a line that is none or that grows beyond the bound. */
export function readLines<T>(
  maxBytes: number,
  onLine: (message: T) => void,
  broken: () => void
): (chunk: Buffer) => void {
  let parts: Buffer[] = []
  let size = 0
  const take = (line: Buffer): void => {
    let message: T
    try {
      message = JSON.parse(line.toString('utf8')) as T
    } catch {
      return broken()
    }
    onLine(message)
  }
  return chunk => {
    let rest = chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      take(Buffer.concat([...parts, rest.subarray(0, end)]))
      parts = []
      size = 0
      rest = rest.subarray(end + 1)
    }
    if (rest.length === 0) return
    parts.push(rest)
    size += rest.length
    if (size > maxBytes) broken()
  }
}
