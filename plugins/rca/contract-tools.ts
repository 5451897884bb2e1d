import { createToken } from '../../core/index.ts'

/** A shape of log lines that came, went or changed its rate; `ratio` is Infinity for a new one. */
export interface LogPattern {
  readonly source: string
  readonly text: string
  readonly change: 'new' | 'vanished' | 'more' | 'fewer'
  readonly before: number
  readonly after: number
  readonly ratio: number
  readonly firstAt: number
  /** Indices of lines that have it. */
  readonly examples: readonly number[]
}
/** What the analysis computes from signals, for tools; times are epoch milliseconds. */
export interface Signals {
  /** When a series left what was usual and stayed; undefined when it did not, or is too short to tell. */
  change(
    points: readonly { readonly at: number; readonly value: number | null }[],
    intervalMs: number
  ):
    | {
        readonly at: number
        readonly direction: 'up' | 'down'
        readonly before: number
        readonly after: number
      }
    | undefined
  /** Strongest change first; a line may stand for several. */
  patterns(asked: {
    readonly lines: readonly { text: string; at: number; source: string; count: number }[]
    readonly from: number
    readonly split: number
    readonly until: number
  }): readonly LogPattern[]
}
export const SignalsToken = createToken<Signals>('rca.signals')

/** A change in Datadog that a tool wants to make; `says` is what a person reads. */
export interface Wish {
  readonly tool: string
  readonly account: string
  readonly input: Readonly<Record<string, unknown>>
  readonly says: string
}
/** What tools that change Datadog ask before they do. */
export interface Approvals {
  /** Lets a person decide; the same wish of the same caller is the same id for as long as it waits. */
  propose(wish: Wish, by: string): Promise<{ readonly id: string; readonly expiresAt: Date }>
  /** Takes an approval once, for exactly this wish; throws `approval-refused`. What came of it is told to `done`. */
  spend(
    approval: string | undefined,
    wish: Wish,
    by: string
  ): Promise<{ readonly id: string; done(outcome: string): Promise<void> }>
}
export const ApprovalsToken = createToken<Approvals>('rca.approvals')
