/** A table as Grafana reads it. */
export interface Table {
  readonly columns: readonly { readonly text: string }[]
  readonly rows: readonly (readonly unknown[])[]
}
/** A value of a variable, as old and new versions of the data source read it. */
export interface VariableValue {
  readonly text: string
  readonly value: string
  readonly __text: string
  readonly __value: string
}
/** What the tests read of the shipped dashboard. */
export interface Dashboard {
  readonly __inputs: readonly { readonly pluginId: string }[]
  readonly templating: {
    readonly list: readonly {
      readonly name: string
      readonly type: string
      readonly multi?: boolean
      /** Choices of a custom variable, or what a query variable asks. */
      readonly query: string | { readonly query: string }
    }[]
  }
  readonly panels: readonly {
    readonly title: string
    readonly targets: readonly { readonly target: string; readonly payload: string }[]
  }[]
}
/** A time series as Grafana reads it. */
export interface Series {
  readonly target: string
  readonly datapoints: readonly (readonly [number, number])[]
  readonly refId?: string
}
