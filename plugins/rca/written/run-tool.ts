import { compile, errorText, RayneError, redact } from '../../../core/index.ts'
import { rcaErrors } from '../contract.ts'
import type { Failure } from '../sandbox/messages.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { checkSource } from './check-source.ts'
import type { Proposal } from './proposal.ts'

/** Reads one path of Datadog for a tool: only GET, only with this account, or it throws. */
export type ReadDatadog = (
  path: string,
  query: Readonly<Record<string, string>>,
  signal: AbortSignal
) => Promise<unknown>

const maxQuestions = 20
const maxAnswerChars = 1_048_576
const maxAnswersChars = 5 * 1_048_576
export const toolTimeoutMs = 10_000
const limits = {
  timeoutMs: toolTimeoutMs - 500,
  memoryBytes: 48 * 1_048_576,
  stackBytes: 262_144,
  outputBytes: 65_536
}

/** The failures that are the tool's own fault, and not those of the machine or of its caller. */
export const isToolsFault = (error: unknown): boolean =>
  error instanceof RayneError && error.code === 'written-tool-failed'

/** A tool's program, ready to be called; throws when the source is none any more. */
export function prepareTool(proposal: Proposal) {
  const { code, problems } = checkSource(proposal.source)
  if (problems.length > 0) throw failure(proposal.name, 'threw', problems.join('; '))
  const [checkInput, checkOutput] = [compile(proposal.input), compile(proposal.output)]
  return async function call(
    sandbox: Sandbox,
    input: unknown,
    read: ReadDatadog,
    signal: AbortSignal
  ): Promise<unknown> {
    const checked = checkInput(structuredClone(input), 'input')
    const outcome = await sandbox.run({
      tool: proposal.name,
      code,
      input: JSON.stringify(checked),
      limits,
      signal,
      ask: capability(proposal.capabilities, read, signal)
    })
    if (!outcome.ok) throw failure(proposal.name, outcome.kind, outcome.message)
    try {
      return checkOutput(JSON.parse(outcome.text), 'output')
    } catch (error) {
      throw failure(proposal.name, 'threw', `its answer is not as it says: ${errorText(error)}`)
    }
  }
}

function failure(name: string, kind: Failure['kind'], message: string): RayneError {
  const code = kind === 'busy' ? rcaErrors['sandbox-busy'] : rcaErrors['written-tool-failed']
  return new RayneError({ code, message: `${name}: ${redact(message)}` })
}

/** The one thing a tool may ask of its host: what lies below the paths it was approved for, twenty times at most. */
function capability(paths: readonly string[], read: ReadDatadog, signal: AbortSignal) {
  let asked = 0
  let chars = 0
  return async (path: string, text: string): Promise<string> => {
    asked += 1
    if (asked > maxQuestions) throw new Error(`a call asks Datadog at most ${maxQuestions} times`)
    const clean = /^\/api\/v[12]\/[\w./:%@-]{1,300}$/.test(path) && !/\.\.|%2e|%2f/i.test(path)
    if (!clean || !paths.some(allowed => covers(allowed, path)))
      throw new Error(
        `'${path.slice(0, 200)}' is none of its capabilities: ${paths.join(', ') || 'it has none'}`
      )
    const answer = redact(JSON.stringify(await read(path, queryOf(text), signal)) ?? 'null')
    chars += answer.length
    if (answer.length > maxAnswerChars || chars > maxAnswersChars)
      throw new Error('Datadog answered more than a tool may hold: ask for less')
    return answer
  }
}

/** `/a/b` covers itself and `/a/b/…`; `{…}` in it stands for one part of the path. */
function covers(allowed: string, path: string): boolean {
  const [own, asked] = [allowed.split('/'), path.split('/')]
  return (
    asked.length >= own.length &&
    own.every((part, index) => /^\{.*\}$/.test(part) || part === asked[index])
  )
}

function queryOf(text: string): Record<string, string> {
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('the query must be an object of texts and numbers')
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => {
      if (!['string', 'number', 'boolean'].includes(typeof one) || !/^[\w.[\]-]{1,100}$/.test(name))
        throw new Error(`the query's '${name.slice(0, 60)}' must be a text or a number`)
      return [name, String(one)]
    })
  )
}
