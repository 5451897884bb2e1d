import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface Block {
  type: string
  id?: string
  name?: string
  text?: string
  input?: unknown
  tool_use_id?: string
  is_error?: boolean
  content?: unknown
}
export interface Request {
  model: string
  max_tokens: number
  stream: boolean
  system: Block[]
  messages: { role: string; content: Block[] }[]
  tools: { name: string; input_schema: { type: string } }[]
  tool_choice: { type: string; name?: string }
}
/** One scripted answer: blocks, an HTTP failure, or a stream that breaks off. */
export type Scripted =
  | { blocks: Block[]; stop?: string }
  | { status: number; headers?: Record<string, string> }
  | 'cut'

/** A loopback server that speaks the streaming Messages API and refuses what the API would refuse. */
export async function startMessagesApi(
  t: TestContext,
  script: (request: Request, turn: number) => Scripted
): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = []
  const server = createServer((asked, answered) => {
    void (async () => {
      const request = JSON.parse(await textOf(asked)) as Request
      const wrong = refusal(asked, request)
      if (wrong !== undefined) return fail(answered, 400, 'invalid_request_error', wrong)
      requests.push(request)
      const scripted = script(request, requests.length)
      if (scripted === 'cut') return cutOff(answered, request)
      if ('status' in scripted)
        return fail(answered, scripted.status, 'overloaded_error', 'scripted', scripted.headers)
      stream(answered, request, scripted.blocks, scripted.stop ?? 'tool_use')
    })()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

async function textOf(asked: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of asked) text += String(chunk)
  return text
}

/** What the documented shape of a request forbids, in the API's order; undefined when nothing. */
function refusal({ method, url, headers }: IncomingMessage, request: Request): string | undefined {
  if (method !== 'POST' || url?.split('?')[0] !== '/v1/messages') return `no route ${url}`
  if (!headers['x-api-key'] && !headers.authorization) return 'no key'
  if (!headers['anthropic-version']) return 'anthropic-version: header is required'
  if (!request.stream) return 'stream: this server streams'
  if (!(request.max_tokens > 0)) return 'max_tokens: must be positive'
  const names = request.tools.map(tool => tool.name)
  if (new Set(names).size !== names.length) return 'tools: names must be unique'
  if (!names.every(name => /^[a-zA-Z0-9_-]{1,128}$/.test(name))) return 'tools: bad name'
  if (request.tools.some(tool => tool.input_schema.type !== 'object')) return 'tools: not an object'
  if (request.messages[0]?.role !== 'user') return 'messages: first message must be of the user'
  return request.messages.map((_, index) => refuseMessage(request, index)).find(Boolean)
}

function refuseMessage({ messages }: Request, index: number): string | undefined {
  const [{ role, content } = { role: '', content: [] }, before] = [
    messages[index],
    messages[index - 1]
  ]
  if (role === before?.role) return `messages.${index}: roles must alternate`
  if (content.length === 0) return `messages.${index}: content must not be empty`
  if (role !== 'user' || !before) return undefined
  const open = before.content.filter(block => block.type === 'tool_use').map(block => block.id)
  const closed = content
    .filter(block => block.type === 'tool_result')
    .map(block => block.tool_use_id)
  return open.toSorted().join() === closed.toSorted().join()
    ? undefined
    : `messages.${index}: tool_use ids ${open.join()} need a tool_result each, there are ${closed.join()}`
}

function fail(
  answered: ServerResponse,
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {}
): void {
  answered.writeHead(status, { 'content-type': 'application/json', ...headers })
  answered.end(JSON.stringify({ type: 'error', error: { type, message } }))
}

const send = (answered: ServerResponse, event: { type: string }): void => {
  answered.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
}

function begin(answered: ServerResponse, { model }: Request): void {
  answered.writeHead(200, { 'content-type': 'text/event-stream' })
  send(answered, {
    type: 'message_start',
    message: {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { input_tokens: 1_000, output_tokens: 1, cache_read_input_tokens: 2_000 }
    }
  } as { type: string })
}

function cutOff(answered: ServerResponse, request: Request): void {
  begin(answered, request)
  setImmediate(() => answered.destroy())
}

function stream(
  answered: ServerResponse,
  request: Request,
  blocks: readonly Block[],
  stop: string
): void {
  begin(answered, request)
  for (const [index, block] of blocks.entries()) {
    const isTool = block.type === 'tool_use'
    const start = isTool ? { ...block, input: {} } : { ...block, text: '' }
    const delta = isTool
      ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
      : { type: 'text_delta', text: block.text }
    for (const event of [
      { type: 'content_block_start', index, content_block: start },
      { type: 'content_block_delta', index, delta },
      { type: 'content_block_stop', index }
    ])
      send(answered, event)
  }
  send(answered, {
    type: 'message_delta',
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { output_tokens: 500 }
  } as { type: string })
  send(answered, { type: 'message_stop' })
  answered.end()
}

let calls = 0
/** A call of a tool. */
export const use = (name: string, input: unknown): Block => {
  calls += 1
  return { type: 'tool_use', id: `toolu_${calls}`, name, input }
}
/** The call that hands in, with empty lists for what is not given. */
export const submit = (submission: object): Block =>
  use('submit_analysis', { hypotheses: [], ruled_out: [], next_steps: [], ...submission })

export const text = (words: string): Block => ({ type: 'text', text: words })

/** The words of the last message to the model. */
export function lastWords({ messages }: Request): string {
  const last = messages.at(-1)
  assert.ok(last)
  return JSON.stringify(last.content)
}
