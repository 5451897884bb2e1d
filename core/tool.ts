import type { Static, TObject, TSchema } from 'typebox'
import type { Resolved, Services, Tokens } from './services.ts'
import { compile } from './schema.ts'
import { bootError, RayneError } from './errors.ts'
import type { Logger } from './log.ts'

/** What a running tool knows besides its input. */
export interface ToolContext {
  /** Account name, or undefined for the default one. */
  readonly account: string | undefined
  /** Who asked, as `user 7`; undefined inside the process. */
  readonly caller?: string
  readonly log: Logger
  readonly signal: AbortSignal
}

/** One capability with one shape for MCP, the model, the HTTP interface and the agent's own prefetch. */
export interface ToolSpec<
  I extends TObject = TObject,
  O extends TSchema = TSchema,
  N extends Tokens = Tokens
> {
  /** Equals the file's name: `[a-z][a-z0-9_]{0,63}`. */
  readonly name: string
  readonly title: string
  readonly effect: 'read' | 'write' | 'destroy'
  /** Says when to use it and what it cannot do. */
  readonly description: string
  readonly input: I
  readonly output: O
  readonly needs?: N
  readonly timeoutMs: number
  readonly examples: readonly { readonly input: Static<I> }[]
  run(input: Static<I>, context: ToolContext, services: Resolved<N>): Promise<Static<O>>
}

/** A tool whose types have been checked and forgotten. */
export type Tool = Omit<ToolSpec, 'run' | 'examples'> & {
  readonly examples: readonly { readonly input: unknown }[]
  run(input: unknown, context: ToolContext, services: unknown): Promise<unknown>
}

/** Declares a tool; the result is what its file exports by default. */
export const defineTool = <
  I extends TObject,
  O extends TSchema,
  N extends Tokens = Record<never, never>
>(
  spec: ToolSpec<I, O, N>
): Tool => spec

/** The tools a plugin may call: what plugins registered and what `tools/` holds, loaded when first asked for. */
export interface Toolbox {
  /** Sorted by name; a tool whose services no loaded plugin provides is left out. */
  list(): Promise<readonly Tool[]>
  /** Checks input and output; throws `tool-not-found` and what the tool throws. */
  execute(name: string, input: unknown, context: ToolContext): Promise<unknown>
}

/** The tools of one running application, by name. */
export function createToolRegistry(services: Services) {
  const tools = new Map<
    string,
    { tool: Tool; execute: (input: unknown, context: ToolContext) => Promise<unknown> }
  >()
  return {
    register(owner: string, tool: Tool): void {
      if (!/^[a-z][a-z0-9_]{0,63}$/.test(tool.name))
        throw bootError(`tool '${tool.name}' of plugin '${owner}' needs a name of a-z, 0-9 and _`)
      if (tools.has(tool.name)) throw bootError(`tool '${tool.name}' is registered twice`)
      const input = compile(tool.input)
      const output = compile(tool.output)
      for (const example of tool.examples)
        input(structuredClone(example.input), `tool/${tool.name}/example`)
      const execute = async (value: unknown, context: ToolContext): Promise<unknown> => {
        const checked = input(value, 'input')
        const signal = AbortSignal.any([context.signal, AbortSignal.timeout(tool.timeoutMs)])
        const result = await tool.run(checked, { ...context, signal }, services.resolve(tool.needs))
        return output(result, 'output')
      }
      tools.set(tool.name, { tool, execute })
    },
    list: (): Tool[] =>
      [...tools.values()].map(entry => entry.tool).sort((a, b) => (a.name < b.name ? -1 : 1)),
    async execute(name: string, input: unknown, context: ToolContext): Promise<unknown> {
      const entry = tools.get(name)
      if (!entry) throw noTool(name, [...tools.keys()])
      return entry.execute(input, context)
    }
  }
}
export type ToolRegistry = ReturnType<typeof createToolRegistry>

const noTool = (name: string, known: readonly string[]): RayneError =>
  new RayneError({
    code: 'tool-not-found',
    message: `there is no tool named '${name}'; there are ${known.toSorted().join(', ') || 'none'}`
  })
