/** Answers of the simulated Datadog, as far as tests look at them. */
export interface Row<A> {
  readonly id: string
  readonly type: string
  readonly attributes: A
}
export interface Page<A> {
  readonly data: readonly Row<A>[]
  readonly meta: {
    readonly status: string
    readonly page: { readonly after: string }
    readonly warnings: readonly unknown[]
  }
}
/** One resource of the v2 APIs, or a notebook of v1. */
export interface One<A, I = string> {
  readonly data: { readonly id: I; readonly attributes: A }
}
export interface Refusal {
  readonly errors: readonly string[]
}

export interface LogItem {
  readonly timestamp: string
  readonly status: string
  readonly service?: string
  readonly host: string
  readonly message: string
  readonly tags: readonly string[]
  readonly attributes: { readonly trace_id: string; readonly span_id: string }
}
export interface EventItem {
  readonly timestamp: string
  readonly message: string
  readonly tags: readonly string[]
  readonly attributes: {
    readonly title: string
    readonly service: string
    readonly monitor: { readonly id: number }
    readonly changed_resource: { readonly type: string }
    readonly new_value: unknown
  }
}
export interface SpanItem {
  readonly trace_id: string
  readonly span_id: string
  readonly parent_id: string
  readonly service: string
  readonly operation_name: string
  readonly status: string
  readonly end_timestamp: string
  readonly tags: readonly string[]
  readonly custom: {
    readonly duration: number
    readonly error: { readonly message: string }
    readonly peer: { readonly service: string }
  }
}

export interface SeriesAnswer {
  readonly series: readonly {
    readonly scope: string
    readonly tag_set: readonly string[]
    readonly interval: number
    readonly length: number
    readonly start: number
    readonly end: number
    readonly pointlist: readonly (readonly [number, number | null])[]
  }[]
}
export interface MonitorItem {
  readonly id: number
  readonly name: string
  readonly query?: string
  readonly priority: number | null
  readonly overall_state: string
  readonly overall_state_modified: string
  readonly matching_downtimes: readonly unknown[]
}
export interface MonitorSearch {
  readonly monitors: readonly { readonly id: number; readonly name: string }[]
}
export interface Hosts {
  readonly host_list: readonly { readonly name: string; readonly last_reported_time: number }[]
}
export interface NotebookItem {
  readonly name: string
  readonly cells: readonly { readonly id: string }[]
}
export interface NotebookList {
  readonly data: readonly { readonly id: number; readonly attributes: NotebookItem }[]
  readonly meta: { readonly page: unknown }
}
export interface DowntimeItem {
  readonly scope: string
  readonly notify_end_states: readonly string[]
}

export interface WebhookItem {
  readonly url: string
  readonly payload: string
  readonly encode_as: string
  readonly custom_headers: string | null
}
export interface Tags {
  readonly tags: readonly string[]
}
export interface TimeseriesAnswer {
  readonly data: {
    readonly attributes: {
      readonly series: readonly { readonly group_tags: readonly string[] }[]
      readonly times: readonly number[]
      readonly values: readonly (readonly number[])[]
    }
  }
}

/** The item at a place of a list that must be there. */
export function nth<T>(list: readonly T[], index: number): T {
  const found = list.at(index)
  if (found === undefined) throw new Error(`the list has ${list.length} items, no ${index}`)
  return found
}
