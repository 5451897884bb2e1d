import { setTimeout as sleep } from 'node:timers/promises'
import type Anthropic from '@anthropic-ai/sdk'
import type {
  Message,
  MessageParam,
  TextBlockParam,
  Tool as ToolParam
} from '@anthropic-ai/sdk/resources/messages'

/** One request to the model; bounded by the signal. */
export interface ModelRequest {
  readonly system: readonly TextBlockParam[]
  readonly messages: readonly MessageParam[]
  readonly tools: readonly ToolParam[]
  /** The only tool that may be used, when one must. */
  readonly onlyTool?: string
  readonly signal: AbortSignal
}
export interface Model {
  readonly name: string
  /** Throws what the API answered, in a sentence; 429, 529 and lost connections have been waited out before. */
  ask(request: ModelRequest): Promise<Message>
}
export interface ModelOptions {
  readonly name: string
  readonly apiKey: string
  /** Empty for the API's own address. */
  readonly baseUrl: string
  readonly maxTokens: number
}

const attempts = 5
const firstWaitMs = 500
const longestWaitMs = 30_000

/** The one place that talks to the Messages API; its library is loaded at the first request. */
export function createModel({ name, apiKey, baseUrl, maxTokens }: ModelOptions): Model {
  let client: Promise<Anthropic> | undefined
  const open = async (): Promise<Anthropic> => {
    const { Anthropic: Client } = await import('@anthropic-ai/sdk')
    return new Client({
      apiKey,
      maxRetries: 0,
      logLevel: 'off',
      ...(baseUrl === '' ? {} : { baseURL: baseUrl })
    })
  }
  const once = async (request: ModelRequest): Promise<Message> => {
    const { messages } = await (client ??= open())
    const { system, tools, onlyTool, signal } = request
    return messages
      .stream(
        {
          model: name,
          max_tokens: maxTokens,
          system: [...system],
          messages: [...request.messages],
          tools: [...tools],
          tool_choice: onlyTool ? { type: 'tool', name: onlyTool } : { type: 'auto' }
        },
        { signal }
      )
      .finalMessage()
  }
  return {
    name,
    async ask(request) {
      for (let attempt = 1; ; attempt += 1)
        try {
          return await once(request)
        } catch (error) {
          request.signal.throwIfAborted()
          const waitMs = waitBefore(error, attempt)
          if (waitMs === undefined) throw new Error(sentence(error), { cause: error })
          await sleep(waitMs, undefined, { signal: request.signal })
        }
    }
  }
}

interface ApiFailure {
  readonly status?: number
  readonly headers?: Headers
  readonly message?: string
}

/** Milliseconds until the next attempt; undefined when another would not help or there were enough. */
function waitBefore(error: unknown, attempt: number): number | undefined {
  const { status, headers } = error as ApiFailure
  const passes = status === undefined || status === 408 || status === 429 || status >= 500
  if (!passes || attempt >= attempts) return undefined
  const asked = Number(headers?.get('retry-after') ?? Number.NaN) * 1_000
  const usual = firstWaitMs * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
  const waitMs = Number.isFinite(asked) ? asked : usual
  return waitMs <= longestWaitMs ? waitMs : undefined
}

function sentence(error: unknown): string {
  const { status, message = 'no reason given' } = error as ApiFailure
  return status === undefined
    ? `the model could not be reached: ${message.slice(0, 300)}`
    : `the model's API answered ${message.slice(0, 300)}`
}
