import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Call } from '../../plugins/rca/sandbox/pool.ts'
import { openSandbox, type Sandbox } from '../../plugins/rca/sandbox/sandbox.ts'
import { levels, ways, type Level } from '../../plugins/rca/sandbox/start-child.ts'
import { machine, median, print, quantile, table, writeJson } from '../figures.ts'

interface Figures {
  readonly level: Level
  readonly direct_ms: number
  readonly warm_ms: number
  readonly warm_p99_ms: number
  readonly cold_ms: number
  readonly idle_mb: number
  readonly lag_p99_ms: number
}

const limits = {
  timeoutMs: 1_000,
  memoryBytes: 48 * 1_048_576,
  stackBytes: 262_144,
  outputBytes: 65_536
}
const source = 'export default input => ({ sum: input.a + input.b })'
const call = (code: string, tool = 'bench'): Call => ({
  tool,
  code,
  input: '{"a":1,"b":2}',
  limits,
  signal: AbortSignal.timeout(600_000),
  ask: () => Promise.reject(new Error('nothing is asked'))
})
/** The same work in this process: what a call would cost without a sandbox. */
const direct = (text: string): string => {
  const { a, b } = JSON.parse(text) as { a: number; b: number }
  return JSON.stringify({ sum: a + b })
}

async function timed(run: () => Promise<unknown> | unknown): Promise<number> {
  const started = performance.now()
  await run()
  return performance.now() - started
}

/** The memory a process adds to the machine: what it shares with others counts by its part. */
const addedMb = (pid: number): number =>
  Number(/Pss:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0) / 1_024

/** How late this process is while programs loop in the sandbox, in ms at the 99th of 100. */
async function lagBeside(sandbox: Sandbox): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  await Promise.all(
    ['one', 'two'].flatMap(tool =>
      Array.from({ length: 4 }, () =>
        sandbox.run(call('export default () => { for (;;) {} }', tool))
      )
    )
  )
  delay.disable()
  return delay.percentile(99) / 1e6 - 5
}

async function measure(level: Level, calls: number): Promise<Figures | undefined> {
  const sandbox = openSandbox({ minimum: level, ways: ways().filter(way => way.level === level) })
  try {
    const { refused } = await sandbox.standing()
    if (refused !== undefined) {
      print(`${level}: ${refused}`)
      return undefined
    }
    const cold = await timed(() => sandbox.run(call(source)))
    const warm: number[] = []
    const plain: number[] = []
    for (let n = 0; n < calls; n++) {
      warm.push(await timed(() => sandbox.run(call(source))))
      plain.push(await timed(() => direct('{"a":1,"b":2}')))
    }
    const idle = (await sandbox.pids()).map(addedMb).reduce((sum, mb) => sum + mb, 0)
    return {
      level,
      direct_ms: median(plain),
      warm_ms: median(warm),
      warm_p99_ms: quantile(warm, 0.99),
      cold_ms: cold,
      idle_mb: idle,
      lag_p99_ms: await lagBeside(sandbox)
    }
  } finally {
    await sandbox.close()
  }
}

/** `bench -- sandbox`: what a call of a program in the sandbox costs, beside the same work in this process. */
export function sandboxCommand(program: Command): void {
  program
    .command('sandbox')
    .description('a call of a written tool, warm and cold, beside the same work in the process')
    .option('--calls <n>', 'warm calls of each level', Number, 500)
    .option('--json <file>', 'write the figures there')
    .action(async ({ calls, json }: { calls: number; json?: string }) => {
      const figures: Figures[] = []
      for (const level of levels) {
        const found = await measure(level, calls)
        if (found) figures.push(found)
      }
      const ms = (figure: number): string => `${figure.toFixed(2)} ms`
      print(machine())
      print(
        table(
          ['level', 'direct', 'warm', 'warm p99', 'cold', 'pool idle', 'loop lag p99'],
          figures.map(one => [
            one.level,
            `${one.direct_ms.toFixed(4)} ms`,
            ms(one.warm_ms),
            ms(one.warm_p99_ms),
            ms(one.cold_ms),
            `${Math.round(one.idle_mb)} MB`,
            ms(one.lag_p99_ms)
          ])
        )
      )
      writeJson(json, figures)
    })
}
