import { Type, type Knex, type Logger, type Tool, type Toolbox } from '../../../core/index.ts'
import { DatadogToken } from '../../datadog-proxy/contract.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { visible } from '../service/investigate/hostile-text.ts'
import { writtenStore, type WrittenRow } from '../store/written-tools.ts'
import { hashOf } from './proposal.ts'
import type { ToolFiles } from './show-files.ts'
import { isToolsFault, prepareTool, toolTimeoutMs, type ReadDatadog } from './run-tool.ts'

/** How a written tool reads Datadog: a path of the account a call names. */
export type ReadAccount = (
  account: string | undefined,
  ...question: Parameters<ReadDatadog>
) => ReturnType<ReadDatadog>

export interface LiveOptions {
  readonly db: Knex
  readonly log: Logger
  readonly base: Toolbox
  readonly sandbox: Sandbox
  readonly readAccount: ReadAccount
  readonly files: ToolFiles
}

const freshMs = 500

/**
 * The toolbox with the tools that were written at run time. What is approved on one process is served by all of them
 * within half a second of its next use: the table is asked whether it changed, never polled while nobody asks.
 */
export function createLiveTools(options: LiveOptions) {
  const { db, log, base, files } = options
  let tools = new Map<string, Tool>()
  let stamp: string | undefined
  let lookedAt = 0
  let looking: Promise<void> | undefined

  /** What is served is looked up at the next use, at once. */
  const forget = (): void => {
    stamp = undefined
  }

  async function look(): Promise<void> {
    const now = await writtenStore.stamp(db)
    lookedAt = performance.now()
    if (now === stamp) return
    const rows = await writtenStore.served(db)
    const changed = show(rows)
    const loaded = await Promise.all(rows.map(row => load(row, changed.includes(row.name))))
    tools = new Map(loaded.flatMap(tool => (tool ? [[tool.name, tool] as const] : [])))
    stamp = now
  }

  /** The files are for people: where they cannot be written, the tools are served all the same. */
  function show(rows: readonly WrittenRow[]): string[] {
    try {
      return files.write(rows)
    } catch (error) {
      log.warn({ error }, 'the files of written tools cannot be written')
      return []
    }
  }

  /** One changed byte, in the table, the file or what was approved, and it is a draft again. */
  async function load(row: WrittenRow, changed: boolean): Promise<Tool | undefined> {
    const whole = hashOf(row.proposal) === row.approved_hash && row.name === row.proposal.name
    if (whole && !changed) return toolOf(row, options, forget)
    const note = 'it is not what was approved'
    await writtenStore.move(db, { id: row.id, from: [row.state], to: 'draft', note })
    log.error({ tool: row.name, version: row.version }, 'a written tool was changed after approval')
    return undefined
  }

  const fresh = async (): Promise<Map<string, Tool>> => {
    if (performance.now() - lookedAt > freshMs || stamp === undefined)
      await (looking ??= look().finally(() => (looking = undefined)))
    return tools
  }

  const toolbox: Toolbox = {
    async list() {
      const [own, written] = await Promise.all([base.list(), fresh()])
      if (written.size === 0) return own
      const names = new Set(own.map(({ name }) => name))
      return [...own, ...[...written.values()].filter(({ name }) => !names.has(name))].sort(
        (a, b) => (a.name < b.name ? -1 : 1)
      )
    },
    async execute(name, input, context) {
      const known = await base.list()
      const written = known.some(tool => tool.name === name) ? undefined : (await fresh()).get(name)
      if (!written) return base.execute(name, input, context)
      const signal = AbortSignal.any([context.signal, AbortSignal.timeout(written.timeoutMs)])
      return written.run(input, { ...context, signal }, {})
    }
  }
  return { toolbox, forget }
}

function toolOf(
  row: WrittenRow,
  { db, log, sandbox, readAccount }: LiveOptions,
  moved: () => void
): Tool {
  const { name, purpose, input, output, examples } = row.proposal
  const call = prepareTool(row.proposal)
  const count = async (failed: boolean): Promise<void> => {
    const after = await writtenStore.count(db, row.id, failed)
    if (after?.state !== row.state) moved()
    if (after?.state === 'quarantined')
      log.error(
        { tool: name, version: row.version, why: after.note },
        'a written tool is quarantined'
      )
  }
  return {
    name,
    title: visible(name.replaceAll('_', ' ')),
    effect: 'read',
    description: `${visible(purpose)} (Written at run time: version ${row.version}, ${row.state}.)`,
    input: Type.Object({}, { ...input }),
    output: Type.Unsafe(output),
    needs: { datadog: DatadogToken },
    timeoutMs: toolTimeoutMs,
    examples: examples.map(example => ({ input: example.input })),
    async run(given, { account, signal }) {
      const read: ReadDatadog = (...question) => readAccount(account, ...question)
      try {
        const value = await call(sandbox, given, read, signal)
        await count(false)
        return value
      } catch (error) {
        if (isToolsFault(error)) await count(true)
        throw error
      }
    }
  }
}
