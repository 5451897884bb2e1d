import type {
  QuickJSContext,
  QuickJSDeferredPromise,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule
} from 'quickjs-emscripten-core'
import type { Answer, Ask, Failure, Limits, Run } from './messages.ts'

const jobsAtOnce = 500
const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** What a guest's program is given besides its input: text in, text out, and one way to ask the host. */
const prelude = `(ask => {
  const { stringify, parse } = JSON
  return {
    call: async (run, input) => {
      if (typeof run !== 'function') throw new TypeError('the module has no function as its default export')
      const get = async (path, params = {}) => parse(await ask(String(path), stringify(params) ?? '{}'))
      const value = await run(parse(input), Object.freeze({ datadog: Object.freeze({ get }) }))
      const text = stringify(value)
      if (text === undefined) throw new TypeError('the tool answered nothing that JSON can hold')
      return text
    },
    tell: error => {
      const name = error instanceof Error ? error.name : 'Error'
      const message = error instanceof Error ? error.message : error
      return stringify([String(name).slice(0, 60), String(message).slice(0, 500)])
    }
  }
})`

export interface Host {
  readonly quickjs: QuickJSWASMModule
  /** Sends a question to the host process and gives its answer: JSON text. */
  ask(question: Ask): Promise<Answer>
}

/**
 * Runs one program in a runtime of its own. `dispose` ends the runtime, so that nothing of it is there at the next
 * call; after a failure of time or memory the runtime is in no state to be ended, and the process should.
 */
export async function runGuest(
  run: Run,
  host: Host
): Promise<{ outcome: string | Failure; dispose(): void }> {
  const until = Date.now() + run.limits.timeoutMs
  const runtime = host.quickjs.newRuntime()
  runtime.setMemoryLimit(run.limits.memoryBytes)
  runtime.setMaxStackSize(run.limits.stackBytes)
  runtime.setInterruptHandler(() => Date.now() > until)
  const context = runtime.newContext()
  const asking = createAsking(context, run, host)
  const outcome = await settle({ context, runtime, until, limits: run.limits, asking }, start())
  return {
    outcome,
    dispose() {
      asking.dispose()
      context.dispose()
      runtime.dispose()
    }
  }

  function start(): Started {
    const made = context.evalCode(prelude, 'rayne.js')
    const build = context.unwrapResult(made)
    const ask = context.newFunction('ask', asking.ask)
    const parts = context.unwrapResult(context.callFunction(build, context.undefined, ask))
    const call = context.getProp(parts, 'call')
    const tell = context.getProp(parts, 'tell')
    for (const handle of [build, ask, parts]) handle.dispose()
    const module = context.evalCode(run.code, 'tool.js', { type: 'module' })
    if (module.error) {
      call.dispose()
      return { error: module.error, tell }
    }
    const main = context.getProp(module.value, 'default')
    const input = context.newString(run.input)
    const result = context.callFunction(call, context.undefined, main, input)
    for (const handle of [call, module.value, main, input]) handle.dispose()
    return result.error ? { error: result.error, tell } : { promise: result.value, tell }
  }
}

interface Started {
  readonly promise?: QuickJSHandle
  readonly error?: QuickJSHandle
  readonly tell: QuickJSHandle
}

interface Turns {
  readonly context: QuickJSContext
  readonly runtime: QuickJSRuntime
  readonly until: number
  readonly limits: Limits
  readonly asking: ReturnType<typeof createAsking>
}

/** Lets the guest's jobs run, a few at a time, until its promise is settled. */
async function settle(turns: Turns, { promise, error, tell }: Started): Promise<string | Failure> {
  const { context } = turns
  if (!promise) {
    const failure = failureOf(turns, error ?? context.undefined, tell)
    error?.dispose()
    tell.dispose()
    return failure
  }
  try {
    for (;;) {
      const failed = runJobs(turns, tell)
      if (failed) return failed
      const state = context.getPromiseState(promise)
      if (state.type === 'fulfilled') {
        const text = state.value.consume(value => textOf(turns, value))
        return text
      }
      if (state.type === 'rejected') return state.error.consume(one => failureOf(turns, one, tell))
      if (Date.now() > turns.until) return late(turns)
      if (!turns.runtime.hasPendingJob()) {
        if (turns.asking.open() === 0)
          return { kind: 'threw', message: 'the tool waits for something that never comes' }
        await turns.asking.next(turns.until - Date.now())
      }
      await turn()
    }
  } finally {
    promise.dispose()
    tell.dispose()
  }
}

function runJobs(turns: Turns, tell: QuickJSHandle): Failure | undefined {
  const { runtime } = turns
  const done = runtime.executePendingJobs(jobsAtOnce)
  if (!done.error) return undefined
  const failure = failureOf(turns, done.error, tell)
  done.error.dispose()
  return failure
}

const late = ({ limits }: Turns): Failure => ({
  kind: 'timeout',
  message: `the tool did not end within ${limits.timeoutMs} ms`
})

/** The answer, if it is as small as it must be: its length is asked for before it is copied. */
function textOf(turns: Turns, value: QuickJSHandle): string | Failure {
  const { context, limits } = turns
  const length = context.getProp(value, 'length').consume(handle => context.getNumber(handle))
  if (length > limits.outputBytes)
    return {
      kind: 'output-limit',
      message: `the answer has ${length} characters, ${limits.outputBytes} are allowed`
    }
  return context.getString(value)
}

/** What was thrown, in the guest's own words and never longer than a sentence; no object of it leaves. */
function failureOf(turns: Turns, thrown: QuickJSHandle, tell: QuickJSHandle): Failure {
  const { context, until } = turns
  if (Date.now() > until) return late(turns)
  const told = context.callFunction(tell, context.undefined, thrown)
  if (told.error) {
    told.error.dispose()
    return Date.now() > until
      ? late(turns)
      : { kind: 'memory', message: 'the tool used up its memory or its stack' }
  }
  const text = told.value.consume(handle => context.getString(handle))
  const [name = 'Error', message = ''] = JSON.parse(text) as string[]
  if (/out of memory|stack overflow/i.test(message) && /^(Internal|Range)Error$/.test(name))
    return { kind: 'memory', message: 'the tool used up its memory or its stack' }
  return { kind: 'threw', message: `${name}: ${message}` }
}

/** The guest's questions that are open; each answer comes as text, copied in. */
function createAsking(context: QuickJSContext, run: Run, host: Host) {
  const open = new Map<number, QuickJSDeferredPromise>()
  let asked = 0
  let disposed = false
  let wake: (() => void) | undefined
  return {
    open: () => open.size,
    ask: (path: QuickJSHandle, params: QuickJSHandle): QuickJSHandle => {
      const id = asked++
      const promise = context.newPromise()
      open.set(id, promise)
      const question = { id, path: context.getString(path), params: context.getString(params) }
      void host.ask({ ...question, nonce: run.nonce }).then(answer => {
        if (disposed) return
        const text = context.newString(answer.text)
        const value = answer.ok ? text : context.newError(answer.text)
        if (answer.ok) promise.resolve(value)
        else promise.reject(value)
        for (const handle of new Set([text, value])) handle.dispose()
        promise.dispose()
        open.delete(id)
        wake?.()
      })
      return promise.handle
    },
    /** Waits for an answer, and no longer than that. */
    next: async (withinMs: number): Promise<void> => {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>(resolve => {
        wake = resolve
        timer = setTimeout(resolve, Math.max(0, withinMs))
      })
      clearTimeout(timer)
      wake = undefined
    },
    dispose: (): void => {
      disposed = true
      for (const promise of open.values()) promise.dispose()
    }
  }
}
