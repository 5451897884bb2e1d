import { isRetryable } from './errors.ts'
import { backoff, pause, type Transport } from './transport.ts'
import type { Json, LiveChange } from './wire.ts'

// The server says something every few seconds, if only a comment.
const idleMs = 60_000
const firstPauseMs = 500

/**
 * Changes as they happen, for as long as it is read; a lost connection is opened again. Rejects
 * when the server refuses, or with the abort reason.
 */
export async function* readLive(
  transport: Transport,
  path: string,
  signal?: AbortSignal
): AsyncGenerator<LiveChange> {
  let lastId: string | undefined
  let askedPauseMs: number | undefined
  for (let attempt = 1; ; attempt++) {
    try {
      const headers = {
        accept: 'text/event-stream',
        ...(lastId === undefined ? {} : { 'last-event-id': lastId })
      }
      for await (const block of blocks(
        transport.lines(path, {
          signal,
          idleMs,
          headers,
          onOpen: () => {
            attempt = 1
          }
        })
      )) {
        lastId = block.id ?? lastId
        askedPauseMs = block.retryMs ?? askedPauseMs
        const change = changeOf(block)
        if (change) yield change
      }
    } catch (error) {
      if (!isRetryable(error)) throw error
    }
    await pause(Math.max(askedPauseMs ?? 0, backoff(attempt, firstPauseMs)), signal)
  }
}

interface Block {
  readonly type: string
  readonly data: string
  readonly id?: string
  readonly retryMs?: number
}

/** The blocks of an event stream, as the HTML standard reads its lines. */
async function* blocks(lines: AsyncIterable<string>): AsyncGenerator<Block> {
  let [type, id, retry, data] = ['', '', '', [] as string[]] as [string, string, string, string[]]
  for await (const line of lines) {
    if (line === '') {
      yield {
        type: type || 'message',
        data: data.join('\n'),
        ...(id === '' ? {} : { id }),
        ...(retry === '' ? {} : { retryMs: Number(retry) })
      }
      ;[type, id, retry, data] = ['', '', '', []]
      continue
    }
    const [, field = '', value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'event') type = value
    if (field === 'id') id = value
    if (field === 'retry' && /^\d+$/.test(value)) retry = value
    if (field === 'data') data.push(value)
  }
}

function changeOf({ type, data, id }: Block): LiveChange | undefined {
  if (data === '') return undefined
  try {
    return { type, data: JSON.parse(data) as Json, ...(id === undefined ? {} : { id }) }
  } catch {
    return undefined
  }
}
