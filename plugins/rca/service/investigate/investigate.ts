import type {
  ContentBlockParam,
  Message,
  MessageParam,
  Tool as ToolParam,
  ToolResultBlockParam,
  ToolUseBlock
} from '@anthropic-ai/sdk/resources/messages'
import { compile, errorText, type Logger, type Toolbox } from '../../../../core/index.ts'
import type { Alert } from '../../../webhooks/contract.ts'
import type { EvidenceSlot, Investigation, Report } from '../../contract.ts'
import { checkSubmission } from './check-submission.ts'
import { looksLikeInstruction, visible } from './hostile-text.ts'
import { createLedger, type Ledger, type ToolAnswer } from './ledger.ts'
import { readTemplate } from '../report-templates.ts'
import type { Tell } from '../tell-steps.ts'
import type { Model } from './model.ts'
import { evidencePack, instructions, slotText } from './prompt.ts'
import { createSpending, type Budget, type Spending } from './spending.ts'
import { Submission } from './submission.ts'

export interface InvestigateInput {
  readonly alert: Alert
  readonly report: Report
  readonly model: Model
  readonly toolbox: Toolbox
  readonly budget: Budget
  readonly log: Logger
  readonly signal: AbortSignal
  readonly tell: Tell
  /** What the person who asked for the analysis adds. */
  readonly instructions: string | undefined
  /** What people have said to the investigation since the last call. */
  orders(): Promise<readonly string[]>
}
/** One run in progress. */
interface Run extends InvestigateInput {
  readonly ledger: Ledger
  readonly spending: Spending
  readonly tools: readonly ToolParam[]
  readonly messages: MessageParam[]
}

const submitName = 'submit_analysis'
const readSubmission = compile(Submission)
const maxToolText = 64 * 1_024
const maxCallsATurn = 8

/**
 * Lets the model reason over the evidence with tools that only read, until it hands in or a limit is reached, and
 * checks what it says. A model that fails, refuses or spends its budget fails nobody's analysis: the outcome says so.
 */
export async function investigate(
  input: InvestigateInput
): Promise<{ investigation: Investigation; evidence: readonly EvidenceSlot[] }> {
  const ledger = createLedger(input.report.evidence)
  const spending = createSpending(input.budget)
  const signal = AbortSignal.any([input.signal, AbortSignal.timeout(input.budget.maxMs)])
  const run: Run = {
    ...input,
    signal,
    ledger,
    spending,
    tools: await toolsOf(input.toolbox),
    messages: [
      {
        role: 'user',
        content: [
          cached(evidencePack(input.alert, input.report)),
          ...(input.instructions === undefined ? [] : [fromEngineer(input.instructions)])
        ]
      }
    ]
  }
  let result: ReturnType<typeof checkSubmission>
  let note: string | null = null
  try {
    result = checkSubmission(await converse(run), ledger)
  } catch (error) {
    input.signal.throwIfAborted()
    note = signal.aborted ? `the model had no more than ${input.budget.maxMs} ms` : errorText(error)
    result = { ...nothing, outcome: 'failed' }
  }
  const flagged = ledger
    .slots()
    .flatMap(slot => slot.rows.filter(row => looksLikeInstruction(row.text)).map(row => row.id))
  return {
    investigation: { ...result, model: input.model.name, flagged, note, ...spending.total() },
    evidence: ledger.slots()
  }
}

/** Words of a person who may read and write analyses; they are no telemetry. */
const fromEngineer = (text: string): ContentBlockParam => ({
  type: 'text',
  text: `The engineer on call says: ${visible(text)}`
})

const nothing = { hypotheses: [], ruled_out: [], next_steps: [], dropped: [] }

/** The investigation that was not begun. */
export const skipped = (model: string, note: string): Investigation => ({
  ...nothing,
  outcome: 'skipped',
  model,
  flagged: [],
  note,
  turns: 0,
  input_tokens: 0,
  output_tokens: 0,
  cost_usd: 0,
  took_ms: 0
})

const cached = (text: string): ContentBlockParam => ({
  type: 'text',
  text,
  cache_control: { type: 'ephemeral' }
})

async function toolsOf(toolbox: Toolbox): Promise<ToolParam[]> {
  const readers = (await toolbox.list()).filter(tool => tool.effect === 'read')
  return [
    ...readers.map(({ name, description, input }) => ({
      name,
      description,
      input_schema: schemaOf(input)
    })),
    {
      name: submitName,
      description: 'Hands in the analysis; the investigation ends with it.',
      input_schema: schemaOf(Submission),
      cache_control: { type: 'ephemeral' }
    }
  ]
}

const schemaOf = (schema: object): ToolParam['input_schema'] => ({
  ...(JSON.parse(JSON.stringify(schema)) as object),
  type: 'object'
})

/** Turn by turn until a valid submission; throws why there is none. */
async function converse(run: Run): Promise<Submission> {
  const rules = `${instructions}\n\n${await readTemplate('prompt.md')}`
  for (;;) {
    const mustSubmit = run.spending.mustEnd()
    const message = await run.model.ask({
      system: [{ type: 'text', text: rules, cache_control: { type: 'ephemeral' } }],
      messages: run.messages,
      tools: run.tools,
      ...(mustSubmit ? { onlyTool: submitName } : {}),
      signal: run.signal
    })
    run.spending.add(message)
    run.log.debug({ turn: run.spending.total().turns, stop: message.stop_reason }, 'model answered')
    run.tell('model', describeTurn(message, run.spending.total().turns))
    if (message.stop_reason === 'refusal') throw new Error('the model refused to answer')
    const submission = await answer(run, message)
    if (submission) return submission
    if (mustSubmit)
      throw new Error(`the model handed in nothing valid within ${run.spending.why()}`)
  }
}

function describeTurn({ content, model }: Message, turn: number): string {
  const asks = content.flatMap(block => (block.type === 'tool_use' ? [block.name] : []))
  const said = content.flatMap(block => (block.type === 'text' ? [block.text] : [])).join(' ')
  const what = asks.length > 0 ? `asks ${asks.join(', ')}` : 'asks nothing'
  return `turn ${turn} of ${model}: ${what}${said === '' ? '' : ` (${visible(said).slice(0, 300)})`}`
}

/** Runs what the message asks for, side by side, and puts the answers into the conversation. */
async function answer(run: Run, message: Message): Promise<Submission | undefined> {
  const isCut = message.stop_reason === 'max_tokens'
  const last = message.content.at(-1)
  // The input of a call that was cut off is not what the model meant.
  const blocks = isCut && last?.type === 'tool_use' ? message.content.slice(0, -1) : message.content
  const calls = blocks.filter(block => block.type === 'tool_use')
  const wrong: ToolResultBlockParam[] = []
  for (const call of calls.filter(({ name }) => name === submitName))
    try {
      return readSubmission(call.input, 'submission')
    } catch (error) {
      wrong.push(failed(call, errorText(error)))
    }
  const results = await Promise.all(
    calls
      .filter(({ name }) => name !== submitName)
      .map((call, index) =>
        index < maxCallsATurn
          ? execute(run, call)
          : failed(call, 'too many at once: ask this later')
      )
  )
  const said: ContentBlockParam[] = blocks.length > 0 ? [...blocks] : [{ type: 'text', text: '…' }]
  const orders = await run.orders()
  for (const order of orders) run.tell('model', `told by a person: ${order}`)
  run.messages.push(
    { role: 'assistant', content: said },
    {
      role: 'user',
      content: [
        ...wrong,
        ...results,
        ...(wrong.length + results.length > 0
          ? []
          : [{ type: 'text' as const, text: isCut ? cutOff : unfinished }]),
        ...orders.map(fromEngineer)
      ]
    }
  )
  return undefined
}

const cutOff = `Your answer was cut off at its greatest length. Be brief, and finish with ${submitName}.`
const unfinished = `Nothing was handed in. Finish by calling ${submitName}.`
const failed = ({ id }: ToolUseBlock, text: string): ToolResultBlockParam => ({
  type: 'tool_result',
  tool_use_id: id,
  is_error: true,
  content: text
})

async function execute(run: Run, call: ToolUseBlock): Promise<ToolResultBlockParam> {
  const { toolbox, ledger, report, log, signal, spending } = run
  const tool = run.tools.find(({ name }) => name === call.name)
  if (!tool)
    return failed(
      call,
      `there is no tool '${call.name}'; there are ${run.tools.map(({ name }) => name).join(', ')}`
    )
  const question = {
    tool: call.name,
    title: call.name,
    input: call.input as Record<string, unknown>
  }
  const before = ledger.answered(question)
  if (before) {
    spending.repeated()
    return failed(call, `this was asked before; the answer is ${before.slot}, do not ask again`)
  }
  const started = performance.now()
  const context = { account: report.account ?? undefined, log, signal }
  const found = await toolbox
    // Checking an input fills in its defaults, and the conversation must stay as it was.
    .execute(call.name, structuredClone(call.input), context)
    .catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))))
  signal.throwIfAborted()
  const slot = ledger.record(question, found as ToolAnswer | Error, performance.now() - started)
  const text = slotText(slot)
  return {
    type: 'tool_result',
    tool_use_id: call.id,
    ...(slot.outcome === 'error' ? { is_error: true } : {}),
    content: text.length > maxToolText ? `${text.slice(0, maxToolText)}\n… cut` : text
  }
}
