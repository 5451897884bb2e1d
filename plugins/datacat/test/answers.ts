/** What the tests read of an answer of `GET /v1/datacat/sessions/{id}`. */
export interface SessionAnswer {
  readonly id: string
  readonly status: string
  readonly product: string | null
  readonly version: string | null
  readonly machine_id: string | null
  readonly hostname: string | null
  readonly created_at: string
  readonly client_timestamp?: string
  readonly last_heartbeat_at: string | null
  readonly state: Readonly<Record<string, unknown>>
  readonly heartbeat: object | null
  readonly event_count: number
  readonly metric_count: number
  readonly state_count: number
  readonly metrics: readonly {
    readonly name: string
    readonly type: string
    readonly unit: string | null
    readonly points: number
    readonly mean: number
  }[]
}

/** The session object of the first version. */
export interface OldSessionAnswer<State = Readonly<Record<string, unknown>>> {
  readonly id: string
  readonly created_at: string
  readonly updated_at: string
  readonly ended_at?: string
  readonly active: boolean
  readonly state: State
  readonly events: readonly {
    readonly timestamp: string
    readonly name: string
    readonly data: Readonly<Record<string, unknown>> | null
  }[]
  readonly metrics: readonly {
    readonly timestamp: string
    readonly name: string
    readonly value: number
    readonly tags?: readonly string[]
  }[]
}

/** An event as it is read back. */
export interface EventAnswer {
  readonly exception?: {
    readonly type: string
    readonly message: string
    readonly stacktrace: readonly string[]
    readonly file?: string
  }
  readonly n: number
  readonly timestamp: string
  readonly received_at: string
  readonly name: string
  readonly level: string | null
  readonly data: Readonly<Record<string, unknown>> | null
}

/** A refusal. */
export interface ProblemAnswer {
  readonly errors?: readonly { readonly pointer: string; readonly message: string }[]
}
