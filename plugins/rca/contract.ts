import { createToken, defineErrors, defineEvent, Type, type Static } from '../../core/index.ts'
import { Alert } from '../webhooks/contract.ts'

export * from './contract-tools.ts'

const nullable = <T extends ReturnType<typeof Type.String> | ReturnType<typeof Type.Number>>(
  type: T
) => Type.Union([type, Type.Null()])

/** One row of evidence; `id` (`slot#n`) is what claims cite. Text in it is a sender's, never an instruction. */
export const EvidenceRow = Type.Object({
  id: Type.String(),
  /** Epoch milliseconds, null for facts without a time. */
  at: nullable(Type.Number()),
  text: Type.String(),
  /** Facts the ranking uses: service, env, version, status, source, host, count. */
  facts: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))
})
export type EvidenceRow = Static<typeof EvidenceRow>

/** One question asked of Datadog and how it ended; nothing is dropped in silence. */
export const EvidenceSlot = Type.Object({
  slot: Type.String(),
  title: Type.String(),
  outcome: Type.Union([
    Type.Literal('rows'),
    Type.Literal('empty'),
    Type.Literal('truncated'),
    Type.Literal('error'),
    Type.Literal('forbidden')
  ]),
  asked: Type.String(),
  window: Type.Object({ from: Type.String(), to: Type.String() }),
  rows: Type.Array(EvidenceRow),
  /** Why it failed, why it is empty, or why it may be incomplete. */
  note: nullable(Type.String()),
  took_ms: Type.Integer(),
  /** True when asking again may succeed. */
  retryable: Type.Boolean()
})
export type EvidenceSlot = Static<typeof EvidenceSlot>

export const Claim = Type.Object({ text: Type.String(), evidence: Type.Array(Type.String()) })
export type Claim = Static<typeof Claim>

/** One change as a suspect; `score` is 0 to 100 and only compares suspects of one report. */
export const Suspect = Type.Object({
  rank: Type.Integer(),
  title: Type.String(),
  at: Type.String(),
  service: nullable(Type.String()),
  score: Type.Number(),
  evidence: Type.Array(Type.String()),
  reasons: Type.Array(Claim)
})
export type Suspect = Static<typeof Suspect>

/** What a model made of the evidence, after code has checked it; it stands beside the deterministic report. */
export const Investigation = Type.Object({
  outcome: Type.Union([
    Type.Literal('established'),
    Type.Literal('not_established'),
    /** The model could not be asked to the end: the note says why, and the report stands without it. */
    Type.Literal('failed'),
    /** Not begun, because a ceiling is reached. */
    Type.Literal('skipped')
  ]),
  model: Type.String(),
  /** Likeliest first; confidence is 0 to 1, capped by the kinds of evidence cited. */
  hypotheses: Type.Array(
    Type.Object({
      cause: Type.String(),
      component: Type.String(),
      confidence: Type.Number(),
      claims: Type.Array(Claim)
    })
  ),
  ruled_out: Type.Array(Claim),
  next_steps: Type.Array(Type.String()),
  /** What the model said and the evidence does not hold. */
  dropped: Type.Array(Type.Object({ text: Type.String(), why: Type.String() })),
  /** Rows with text that speaks to the reader instead of telling what happened. */
  flagged: Type.Array(Type.String()),
  note: nullable(Type.String()),
  turns: Type.Integer(),
  input_tokens: Type.Integer(),
  output_tokens: Type.Integer(),
  cost_usd: Type.Number(),
  took_ms: Type.Integer()
})
export type Investigation = Static<typeof Investigation>

/** An earlier incident whose signs are like these: something to test, and never evidence. */
export const SimilarIncident = Type.Object({
  analysis_id: Type.String(),
  name: Type.String(),
  at: Type.String(),
  /** 0 to 1. */
  similarity: Type.Number(),
  /** What a person said it was; null when nobody has. */
  confirmed_cause: nullable(Type.String()),
  /** The signs both share, heaviest first. */
  reasons: Type.Array(Type.String())
})
export type SimilarIncident = Static<typeof SimilarIncident>

/** What a person says of an analysis. */
export const Feedback = Type.Object({
  judgement: Type.Union([Type.Literal('right'), Type.Literal('wrong'), Type.Null()]),
  cause: nullable(Type.String()),
  component: nullable(Type.String()),
  class: nullable(Type.String()),
  note: nullable(Type.String()),
  given_by: Type.String(),
  given_at: Type.String()
})
export type Feedback = Static<typeof Feedback>

/** The same evidence always gives the same text; `investigation` is there when a model was configured. */
export const Report = Type.Object({
  verdict: Type.Union([
    Type.Literal('suspected_change'),
    Type.Literal('operational_cause'),
    Type.Literal('nothing_wrong'),
    Type.Literal('not_established')
  ]),
  /** Where the cause is, `none` when nothing is wrong; absent when it is not established. */
  component: Type.Optional(Type.String()),
  class: Type.Optional(Type.String()),
  /** Services whose requests got worse, worst first. */
  affected: Type.Optional(Type.Array(Type.String())),
  remediation: Type.Optional(Type.Object({ class: Type.String() })),
  summary: Type.String(),
  /** Absent when nothing is wrong: nothing began. */
  onset: Type.Optional(
    Type.Object({
      at: Type.String(),
      source: Type.String(),
      evidence: Type.Array(Type.String())
    })
  ),
  window: Type.Object({ from: Type.String(), to: Type.String() }),
  suspects: Type.Array(Suspect),
  findings: Type.Array(Claim),
  evidence: Type.Array(EvidenceSlot),
  account: nullable(Type.String()),
  simulated: Type.Boolean(),
  similar: Type.Optional(Type.Array(SimilarIncident)),
  investigation: Type.Optional(Investigation)
})
export type Report = Static<typeof Report>

export const AnalysisStatus = Type.Union([
  Type.Literal('pending'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  /** Not run, because its monitor's share of the hour was used up: `error` says so. */
  Type.Literal('skipped')
])
export type AnalysisStatus = Static<typeof AnalysisStatus>

/** One thing an analysis did, in the order it did it; `number` only grows. */
export const Step = Type.Object({
  number: Type.Integer(),
  attempt: Type.Integer(),
  at: Type.String(),
  kind: Type.Union([
    Type.Literal('begun'),
    Type.Literal('asked'),
    Type.Literal('report'),
    Type.Literal('model'),
    Type.Literal('notebook'),
    Type.Literal('ended')
  ]),
  text: Type.String()
})
export type Step = Static<typeof Step>

/** An analysis that is done, or that no attempt follows; committed together with its row. */
export const AnalysisEnded = defineEvent(
  'rca.analysis-ended',
  Type.Object({
    analysis_id: Type.String(),
    /** Null when no webhook told of it. */
    event_id: nullable(Type.Number()),
    account: nullable(Type.String()),
    status: Type.Union([Type.Literal('done'), Type.Literal('failed')]),
    alert: Alert,
    verdict: nullable(Type.String()),
    /** What is wrong and why, in sentences; null when it failed before anything was known. */
    summary: nullable(Type.String()),
    component: nullable(Type.String()),
    error: nullable(Type.String()),
    notebook_url: nullable(Type.String()),
    simulated: Type.Boolean()
  })
)
export type AnalysisEnded = Static<typeof AnalysisEnded.payload>

/** An analysis in short, as tools tell of it. */
export interface AnalysisInShort {
  readonly id: string
  readonly status: AnalysisStatus
  readonly error: string | null
  readonly account: string | null
  readonly monitor: string
  readonly createdAt: Date
  readonly notebookUrl: string | null
  readonly report: Report | null
}
/** What tools may do with analyses. */
export interface Analyses {
  /** Opens one of a monitor now, and makes a notebook only when that is asked for; answers its id. */
  start(
    asked: { monitor_id: string; account?: string; at?: string; notebook: boolean },
    by: string,
    signal: AbortSignal
  ): Promise<string>
  /** Throws `analysis-not-found`. */
  find(id: string): Promise<AnalysisInShort>
  /** Earlier incidents that look like an analysis, or like error lines and words of an alert; nearest first. */
  similar(
    like:
      | { analysis: string }
      | { account: string; service: string; words: string; lines: readonly string[] },
    signal: AbortSignal
  ): Promise<readonly SimilarIncident[]>
}
export const AnalysesToken = createToken<Analyses>('rca.analyses')

/** The errors of this plugin. */
export const rcaErrors = defineErrors({
  'approval-decided': [409, 'A change was decided already, or waited too long for a person.'],
  'approval-not-found': [404, 'No change waits under this id.'],
  'approval-refused': [
    403,
    'A tool may not change anything without a fitting approval of a person.'
  ],
  'too-many-wishes': [429, 'A caller has too many changes that wait for a person.'],
  'analysis-not-found': [404, 'No analysis has this id.'],
  'analysis-ended': [409, 'The analysis has ended already, so there is nothing to stop or steer.'],
  'sandbox-unavailable': [
    503,
    'This machine has no sandbox that is good enough for tools written at run time.'
  ],
  'sandbox-busy': [503, 'Too many calls of tools written at run time wait for their turn.'],
  'written-tool-failed': [502, 'A tool written at run time failed; it is counted against it.'],
  'written-tool-not-found': [404, 'No tool written at run time has this name and version.'],
  'written-tool-state': [409, 'The version stands where this cannot be done with it.'],
  'approved-by-people': [403, 'A person approves what was written at run time; a token does not.'],
  'no-model': [409, 'No model is configured, so nothing can be asked of one.'],
  'too-many-step-streams': [429, 'So many streams of steps are open that another one is refused.'],
  'evidence-not-found': [404, 'The analysis has no evidence with this id.'],
  'evidence-unavailable': [502, 'No question to Datadog was answered, so there is no evidence.'],
  'memory-unavailable': [
    'upstream',
    'Ollama or Qdrant refused or did not answer; similar incidents are found by their signs alone.'
  ],
  'notebook-not-made': ['upstream', 'Datadog did not take the notebook; the status is its own.'],
  'file-unwritable': [400, 'The file that a command was told to write cannot be written.']
})
