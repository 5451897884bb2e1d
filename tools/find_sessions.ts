import { defineTool, Type } from '../core/index.ts'
import { SessionsToken } from '../plugins/datacat/contract.ts'
import { rowsAnswer, saidOf } from './kit/answer.ts'
import { limitOf } from './kit/reader.ts'

const textOrNull = Type.Union([Type.String(), Type.Null()])

export default defineTool({
  name: 'find_sessions',
  title: 'Application sessions',
  effect: 'read',
  description: [
    'Sessions of desktop and embedded applications that report to datacat, newest first: product, version, host, hung',
    'or crashed. Use it when an application, not a service, is in trouble. It has no data of Datadog.'
  ].join(' '),
  input: Type.Object(
    {
      status: Type.Optional(
        Type.Enum(['active', 'ended', 'hung', 'crashed', 'suspended', 'recovered', 'ever_hung'])
      ),
      product: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      version: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
      hostname: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      words: Type.Optional(
        Type.String({ maxLength: 200, description: 'part of product, host, version or id' })
      ),
      limit: limitOf(100, 20)
    },
    { additionalProperties: false }
  ),
  output: rowsAnswer(
    Type.Object({
      id: Type.String(),
      status: Type.String(),
      product: textOrNull,
      version: textOrNull,
      hostname: textOrNull,
      created_at: Type.String(),
      ended_at: textOrNull,
      last_heartbeat_at: textOrNull,
      event_count: Type.Integer(),
      metric_count: Type.Integer()
    })
  ),
  needs: { sessions: SessionsToken },
  timeoutMs: 15_000,
  examples: [{ input: { status: 'crashed', limit: 20 } }],
  async run({ limit, words, ...filter }, _context, { sessions }) {
    const { rows, total } = await sessions.find({ ...filter, q: words }, limit)
    const said = Object.entries({ ...filter, words }).filter(([, value]) => value !== undefined)
    return saidOf({
      rows,
      total,
      truncated: total > rows.length,
      warnings: [],
      asked: { query: said.map(([key, value]) => `${key}:${value}`).join(' ') || 'all sessions' },
      whenEmpty: 'no session is like this; names must match as a whole, `words` needs a part only'
    })
  }
})
