import type { Message } from '@anthropic-ai/sdk/resources/messages'
import type { Investigation } from '../../contract.ts'

/** The most one investigation may cost; prices are US dollars a million tokens. */
export interface Budget {
  readonly maxTurns: number
  readonly maxTokens: number
  readonly maxUsd: number
  readonly maxMs: number
  readonly prices: { readonly inputUsd: number; readonly outputUsd: number }
}
/** What one investigation has used. */
export interface Spending {
  add(message: Message): void
  repeated(): void
  /** Whether the next turn is the last one, in which only handing in is allowed. */
  mustEnd(): boolean
  /** The limit that is reached. */
  why(): string
  total(): Pick<Investigation, 'turns' | 'input_tokens' | 'output_tokens' | 'cost_usd' | 'took_ms'>
}

// As the API prices its prompt cache, relative to a plain input token.
const cacheReadPrice = 0.1
const cacheWritePrice = 1.25
const maxRepeats = 3
// Kept for the turn that hands in.
const reserve = 0.8

export function createSpending({ maxTurns, maxTokens, maxUsd, prices }: Budget): Spending {
  const started = performance.now()
  let [turns, input, output, usd, repeats] = [0, 0, 0, 0, 0]
  const reached = (): string | undefined => {
    if (turns >= maxTurns - 1) return `${maxTurns} turns`
    if (input + output >= maxTokens * reserve) return `${maxTokens} tokens`
    if (usd >= maxUsd * reserve) return `${maxUsd} US dollars`
    return repeats >= maxRepeats ? `${maxRepeats} repeated questions` : undefined
  }
  return {
    add({ usage }) {
      const cacheRead = usage.cache_read_input_tokens ?? 0
      const cacheWrite = usage.cache_creation_input_tokens ?? 0
      turns += 1
      input += usage.input_tokens + cacheRead + cacheWrite
      output += usage.output_tokens
      usd +=
        ((usage.input_tokens + cacheRead * cacheReadPrice + cacheWrite * cacheWritePrice) *
          prices.inputUsd +
          usage.output_tokens * prices.outputUsd) /
        1e6
    },
    repeated() {
      repeats += 1
    },
    mustEnd: () => reached() !== undefined,
    why: () => reached() ?? 'no limit',
    total: () => ({
      turns,
      input_tokens: input,
      output_tokens: output,
      cost_usd: Math.round(usd * 1e6) / 1e6,
      took_ms: Math.round(performance.now() - started)
    })
  }
}
