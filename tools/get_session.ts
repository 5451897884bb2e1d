import { defineTool, Type } from '../core/index.ts'
import { SessionsToken } from '../plugins/datacat/contract.ts'
import { rowsAnswer, saidOf } from './kit/answer.ts'
import { limitOf } from './kit/reader.ts'

const maxStateChars = 20_000

export default defineTool({
  name: 'get_session',
  title: 'One application session',
  effect: 'read',
  description: [
    'One session of datacat: its state, its metrics and its newest events. Use it for what an application did before',
    'it hung or crashed. It cannot show single points of a metric.'
  ].join(' '),
  input: Type.Object(
    {
      session_id: Type.String({ format: 'uuid', description: 'from find_sessions' }),
      limit: limitOf(200, 50)
    },
    { additionalProperties: false }
  ),
  output: rowsAnswer(
    Type.Object({
      kind: Type.String({ description: 'session, metric or event' }),
      at: Type.Union([Type.String(), Type.Null()]),
      name: Type.String(),
      text: Type.String()
    })
  ),
  needs: { sessions: SessionsToken },
  timeoutMs: 15_000,
  examples: [{ input: { session_id: '0190f2f5-6d3c-7c52-9d2b-6a2b0e0d4c11', limit: 50 } }],
  async run({ session_id: id, limit }, _context, { sessions }) {
    const { summary, state, metrics, events } = await sessions.read(id, limit)
    const text = JSON.stringify(state)
    return saidOf({
      rows: [
        { kind: 'session', at: summary.created_at, name: id, text: JSON.stringify(summary) },
        { kind: 'session', at: null, name: 'state', text: text.slice(0, maxStateChars) },
        ...metrics.map(({ name, last_at: at, ...one }) => ({
          kind: 'metric',
          at,
          name,
          text: JSON.stringify(one)
        })),
        ...events.map(({ name, timestamp: at, level, data }) => ({
          kind: 'event',
          at,
          name,
          text: `${level ?? 'info'} ${JSON.stringify(data)}`.slice(0, 1_000)
        }))
      ],
      truncated: summary.event_count > events.length || text.length > maxStateChars,
      warnings: [
        ...(text.length > maxStateChars
          ? [`the state has ${text.length} characters, the first ${maxStateChars} are shown`]
          : []),
        ...(summary.event_count > events.length
          ? [`the newest ${events.length} of ${summary.event_count} events are shown`]
          : [])
      ],
      asked: { query: `session ${id}` }
    })
  }
})
