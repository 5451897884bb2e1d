import type { CallToolResult } from '@modelcontextprotocol/server'
import {
  errorText,
  RayneError,
  redact,
  type Logger,
  type Principal,
  type Tool,
  type Toolbox
} from '../../../core/index.ts'
import { asksDatadog } from './describe-tool.ts'
import { fitAnswer } from './fit-answer.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { Rate } from './rate.ts'

export interface CallOptions {
  readonly toolbox: Toolbox
  readonly kept: KeptAnswers
  readonly rate: Rate
  readonly log: Logger
  readonly principal: Principal
}

/** The address of one page of what did not fit. */
const pageUri = (id: string, page: number): string => `rayne://result/${id}/${page}`

/**
 * Runs a tool for a caller and answers what MCP sends: the value as structured content and as text. What goes wrong
 * inside is an answer too, for the model to read and mend its question.
 */
export async function callTool(
  tool: Tool,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
  { toolbox, kept, rate, log, principal }: CallOptions
): Promise<CallToolResult> {
  const caller = `${principal.kind} ${principal.id}`
  const waitSeconds = rate(caller)
  if (waitSeconds > 0) return failed(`too-many-calls: wait ${waitSeconds} s and ask again`)
  const started = performance.now()
  const { account, ...own } = input
  const named = asksDatadog(tool)
  const note = (outcome: string): void =>
    log.info(
      {
        tool: tool.name,
        caller,
        account,
        outcome,
        took_ms: Math.round(performance.now() - started)
      },
      'a tool was called'
    )
  if (named && account !== undefined && typeof account !== 'string')
    return failed('invalid-input: /input/account must be a text')
  try {
    const asked = named ? (account as string | undefined) : undefined
    const context = { account: asked, caller, log, signal }
    const given = structuredClone(named ? own : input)
    const value = await toolbox.execute(tool.name, given, context)
    note('answered')
    return answered(value, caller, kept)
  } catch (error) {
    note(error instanceof RayneError ? error.code : 'internal')
    if (error instanceof RayneError) return failed(`${error.code}: ${error.message}`)
    if (!signal.aborted) log.error({ error, tool: tool.name }, 'a tool failed')
    return failed(signal.aborted ? 'cancelled' : `internal: ${tool.name} failed; the log says why`)
  }
}

function answered(value: unknown, owner: string, kept: KeptAnswers): CallToolResult {
  const id = kept.newId()
  const fitted = fitAnswer(value, page => pageUri(id, page))
  if (fitted.pages.length > 0)
    kept.keep(
      id,
      owner,
      fitted.pages.map(page => redact(page))
    )
  const text = redact(JSON.stringify(fitted.value))
  return {
    content: [{ type: 'text', text }],
    structuredContent: JSON.parse(text) as Record<string, unknown>
  }
}

/** A failure as the model sees it. */
export const failed = (why: unknown): CallToolResult => ({
  isError: true,
  content: [{ type: 'text', text: redact(typeof why === 'string' ? why : errorText(why)) }]
})
