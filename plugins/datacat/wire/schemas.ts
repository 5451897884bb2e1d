import { Type } from '../../../core/index.ts'
import { statuses } from '../store/filters.ts'
import { maxItems, maxWeight } from './limits.ts'

const text = (maxLength: number, description?: string) =>
  Type.String({
    maxLength,
    pattern: String.raw`^[^\u0000]*$`,
    ...(description === undefined ? {} : { description })
  })
export const name = text(256)
const time = Type.Union([Type.String({ maxLength: 40 }), Type.Number()], {
  description: 'RFC 3339, or epoch milliseconds'
})
const object = Type.Record(Type.String(), Type.Unknown())
const nullable = <
  T extends
    | ReturnType<typeof Type.String>
    | ReturnType<typeof Type.Number>
    | ReturnType<typeof Type.Boolean>
>(
  type: T
) => Type.Union([type, Type.Null()])

export const levels = ['debug', 'info', 'warning', 'error', 'critical'] as const
const kinds = ['gauge', 'counter', 'histogram', 'timer'] as const
const closed = { additionalProperties: false } as const
const seconds = Type.Number({ minimum: 1, maximum: 604_800 })

export const SessionId = Type.Object({ id: Type.String({ maxLength: 64 }) })
export const Heartbeat = Type.Object(
  {
    hung_after_seconds: Type.Optional(seconds),
    crashed_after_seconds: Type.Optional(seconds),
    suspended: Type.Optional(Type.Boolean())
  },
  closed
)
export const Open = Type.Object(
  {
    id: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'chosen by the client, so that opening can be repeated'
      })
    ),
    product: Type.Optional(name),
    version: Type.Optional(name),
    machine_id: Type.Optional(name),
    hostname: Type.Optional(name),
    started_at: Type.Optional(time),
    state: Type.Optional(object),
    heartbeat: Type.Optional(
      Type.Object(
        {
          hung_after_seconds: Type.Optional(seconds),
          crashed_after_seconds: Type.Optional(seconds)
        },
        closed
      )
    )
  },
  closed
)
export const Opened = Type.Object({ session_id: Type.String(), created: Type.Boolean() })

const Exception = Type.Object(
  {
    type: Type.Optional(text(1_000)),
    message: Type.Optional(text(100_000)),
    stacktrace: Type.Optional(Type.Array(text(100_000), { maxItems: 1_000 })),
    file: Type.Optional(text(4_000)),
    line: Type.Optional(Type.Integer()),
    function: Type.Optional(text(1_000))
  },
  closed
)
export const State = Type.Object({ state: object, timestamp: Type.Optional(time) }, closed)
export const Event = Type.Object(
  {
    name,
    data: Type.Optional(Type.Union([object, Type.Null()])),
    timestamp: Type.Optional(time),
    level: Type.Optional(Type.Enum([...levels])),
    message: Type.Optional(text(100_000)),
    group: Type.Optional(name),
    labels: Type.Optional(Type.Array(name, { maxItems: 100 })),
    exception: Type.Optional(Exception)
  },
  closed
)
export const Metric = Type.Object(
  {
    name,
    value: Type.Number(),
    tags: Type.Optional(Type.Union([Type.Array(name, { maxItems: 100 }), Type.Null()])),
    timestamp: Type.Optional(time),
    type: Type.Optional(Type.Enum([...kinds])),
    unit: Type.Optional(name),
    count: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: maxWeight,
        description: 'the samples of a histogram, the rounds of a timer: figures weigh it by them'
      })
    ),
    metadata: Type.Optional(object)
  },
  closed
)
export const Batch = Type.Object(
  {
    key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 128,
        pattern: String.raw`^[^\u0000]*$`,
        description:
          'a batch with this key is stored once a session; also as the header Idempotency-Key'
      })
    ),
    states: Type.Optional(Type.Array(State, { maxItems })),
    events: Type.Optional(Type.Array(Event, { maxItems })),
    metrics: Type.Optional(Type.Array(Metric, { maxItems })),
    heartbeat: Type.Optional(Type.Boolean()),
    end: Type.Optional(Type.Boolean())
  },
  closed
)
export const Stored = Type.Object({
  status: Type.String(),
  accepted: Type.Integer(),
  duplicate: Type.Boolean()
})
export const Done = Type.Object({ status: Type.String() })

/** Items of a client whose clock is wrong have the server's time, and what it said beside it. */
const Said = {
  client_timestamp: Type.Optional(
    Type.String({
      description: "what a client with a wrong clock said; `timestamp` is the server's"
    })
  )
}
const Summary = Type.Object({
  id: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  ended_at: nullable(Type.String()),
  active: Type.Boolean(),
  status: Type.String(),
  product: nullable(Type.String()),
  version: nullable(Type.String()),
  machine_id: nullable(Type.String()),
  hostname: nullable(Type.String()),
  event_count: Type.Integer(),
  metric_count: Type.Integer(),
  state_count: Type.Integer(),
  last_heartbeat_at: nullable(Type.String()),
  ...Said
})
const SeriesSummary = Type.Object({
  name: Type.String(),
  type: Type.String(),
  unit: nullable(Type.String()),
  points: Type.Integer(),
  minimum: Type.Number(),
  maximum: Type.Number(),
  mean: Type.Number(),
  last: Type.Number(),
  first_at: Type.String(),
  last_at: Type.String()
})
export const Detail = Type.Object({
  ...Summary.properties,
  state: object,
  heartbeat: Type.Union([
    Type.Object({ hung_after_seconds: Type.Number(), crashed_after_seconds: Type.Number() }),
    Type.Null()
  ]),
  metrics: Type.Array(SeriesSummary)
})

const words = Type.Union([Type.String(), Type.Array(Type.String(), { maxItems: 20 })])
/** Which sessions; every list, series and export takes the same. */
export const filterFields = {
  status: Type.Optional(Type.Enum([...statuses])),
  product: Type.Optional(name),
  version: Type.Optional(name),
  machine_id: Type.Optional(name),
  q: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'the beginning of an id, or a part of product, version or hostname'
    })
  ),
  from: Type.Optional(Type.String({ maxLength: 40, description: 'opened at or after' })),
  to: Type.Optional(Type.String({ maxLength: 40, description: 'opened before' })),
  current: Type.Optional(words),
  ever: Type.Optional(words),
  contains: Type.Optional(words),
  ever_contains: Type.Optional(words),
  tag: Type.Optional(words)
}
export const Filter = Type.Object(filterFields, closed)
export const List = Type.Object(
  {
    ...filterFields,
    page: Type.Integer({ minimum: 1, maximum: 100_000, default: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 200, default: 50 }),
    cursor: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        description: '`next_cursor` of the page before; stays fast at any depth'
      })
    )
  },
  closed
)
export const Sessions = Type.Object({
  sessions: Type.Array(Summary),
  total_count: Type.Integer(),
  page: Type.Integer(),
  per_page: Type.Integer(),
  next_cursor: nullable(Type.String())
})

export const After = {
  after: Type.Optional(
    Type.Integer({ minimum: -1, description: '`next_after` of the page before' })
  ),
  limit: Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })
}
const open = { additionalProperties: true } as const
export const EventOut = Type.Object(
  {
    n: Type.Integer(),
    timestamp: Type.String(),
    received_at: Type.String(),
    name: Type.String(),
    level: nullable(Type.String()),
    data: Type.Union([object, Type.Null()]),
    ...Said
  },
  open
)
export const PointOut = Type.Object(
  {
    n: Type.Integer(),
    timestamp: Type.String(),
    name: Type.String(),
    value: Type.Number(),
    ...Said
  },
  open
)
export const StateOut = Type.Object({
  n: Type.Integer(),
  timestamp: Type.String(),
  patch: object,
  ...Said
})
export const nextAfter = nullable(Type.Number())
export { nullable, object, closed }
