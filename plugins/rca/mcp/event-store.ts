import type { EventStore } from '@modelcontextprotocol/server'

const maxChars = 400_000

/** What one session was sent, for a client whose stream broke: the newest messages, 400,000 characters at most. */
export function createEventStore(): EventStore {
  type Message = Parameters<EventStore['storeEvent']>[1]
  const kept = new Map<string, { stream: string; message: Message; chars: number }>()
  let chars = 0
  let last = 0
  return {
    storeEvent(stream, message) {
      const size = JSON.stringify(message).length
      const id = `${(last += 1)}`
      kept.set(id, { stream, message, chars: size })
      chars += size
      for (const [old, event] of kept) {
        if (chars <= maxChars) break
        kept.delete(old)
        chars -= event.chars
      }
      return Promise.resolve(id)
    },
    getStreamIdForEventId: id => Promise.resolve(kept.get(id)?.stream),
    async replayEventsAfter(lastId, { send }) {
      const stream = kept.get(lastId)?.stream ?? ''
      for (const [id, event] of kept)
        if (Number(id) > Number(lastId) && event.stream === stream) await send(id, event.message)
      return stream
    }
  }
}
