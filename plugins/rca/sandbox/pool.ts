import { randomBytes } from 'node:crypto'
import type { Answer, Failure, FromChild, Limits } from './messages.ts'
import { startChild, type Child, type Way } from './start-child.ts'

/** One call of a program: JavaScript with a default export, and its input as JSON. */
export interface Call {
  /** Whose call it is: one tool never has all processes. */
  readonly tool: string
  readonly code: string
  readonly input: string
  readonly limits: Limits
  readonly signal: AbortSignal
  /** Answers the program's question with JSON, or throws what the program may read. */
  ask(path: string, params: string): Promise<string>
}
export type Outcome =
  | { readonly ok: true; readonly text: string }
  | ({ readonly ok: false } & Failure)

export interface PoolOptions {
  readonly way: Way
  readonly maxChildren: number
  /** Calls that may wait, of all tools; one more is refused. */
  readonly maxWaiting: number
  /** How long the last idle process stays; the others end at once. */
  readonly idleMs: number
}

interface Waiting {
  readonly call: Call
  start(): void
  refuse(outcome: Outcome): void
}

const graceMs = 150
const callsOfAChild = 200
const maxQuestionChars = 8_192

/** Runs calls in a few processes, one at a time in each; a process that failed is never used again. */
export function createPool({ way, maxChildren, maxWaiting, idleMs }: PoolOptions) {
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const waiting: Waiting[] = []
  const running = new Map<string, number>()
  let starting = 0
  let closed = false
  let idleTimer: NodeJS.Timeout | undefined
  const maxOfATool = Math.max(1, Math.floor(maxChildren / 2))

  const busy = (): number => all.size - idle.length + starting
  const mayRun = (tool: string): boolean =>
    busy() < maxChildren && (running.get(tool) ?? 0) < maxOfATool
  const count = (tool: string, by: number): void => {
    const left = (running.get(tool) ?? 0) + by
    if (left > 0) running.set(tool, left)
    else running.delete(tool)
  }

  function next(): void {
    const at = waiting.findIndex(({ call }) => mayRun(call.tool))
    if (at >= 0) waiting.splice(at, 1)[0]?.start()
    clearTimeout(idleTimer)
    if (busy() > 0 || idle.length === 0) return
    for (const worker of idle.splice(1)) worker.kill()
    idleTimer = setTimeout(() => idle.pop()?.kill(), idleMs).unref()
  }

  async function take(): Promise<Worker> {
    const worker = idle.pop()
    if (worker) return worker
    starting += 1
    try {
      const made = await startWorker(way, ended => {
        all.delete(ended)
        const at = idle.indexOf(ended)
        if (at >= 0) idle.splice(at, 1)
      })
      all.add(made)
      if (closed) made.kill()
      return made
    } finally {
      starting -= 1
    }
  }

  async function start(call: Call): Promise<Outcome> {
    count(call.tool, 1)
    try {
      const worker = await take()
      const outcome = await worker.run(call)
      if (worker.fit() && !closed) idle.push(worker)
      else worker.kill()
      return outcome
    } catch (error) {
      return crashed(error)
    } finally {
      count(call.tool, -1)
      next()
    }
  }

  return {
    level: way.level,
    /** Process ids of the children, for tests and the status page. */
    pids: (): number[] => [...all].map(({ pid }) => pid),
    run(call: Call): Promise<Outcome> {
      if (closed) return Promise.resolve(refused('the sandbox is closed'))
      if (mayRun(call.tool)) return start(call)
      if (waiting.length >= maxWaiting)
        return Promise.resolve(refused(`${maxWaiting} calls wait already: try again later`))
      return new Promise(resolve => {
        const entry: Waiting = {
          call,
          start: () => {
            call.signal.removeEventListener('abort', leave)
            resolve(start(call))
          },
          refuse: resolve
        }
        const leave = (): void => {
          const at = waiting.indexOf(entry)
          if (at < 0) return
          waiting.splice(at, 1)
          resolve(refused('its turn did not come in time'))
        }
        call.signal.addEventListener('abort', leave, { once: true })
        waiting.push(entry)
      })
    },
    close(): void {
      closed = true
      clearTimeout(idleTimer)
      for (const { refuse } of waiting.splice(0)) refuse(refused('the sandbox is closed'))
      for (const worker of all) worker.kill()
    }
  }
}
export type Pool = ReturnType<typeof createPool>

const refused = (message: string): Outcome => ({ ok: false, kind: 'busy', message })
const crashed = (error: unknown): Outcome => ({
  ok: false,
  kind: 'crashed',
  message: error instanceof Error ? error.message : 'the process of the tool ended'
})

interface Worker {
  readonly pid: number
  /** Whether it may be used again. */
  fit(): boolean
  run(call: Call): Promise<Outcome>
  kill(): void
}

async function startWorker(way: Way, onEnd: (worker: Worker) => void): Promise<Worker> {
  let current: { take(message: FromChild): void; end(outcome: Outcome): void } | undefined
  let calls = 0
  let spent = false
  let child: Child | undefined
  const worker: Worker = {
    get pid() {
      return child?.pid ?? -1
    },
    fit: () => !spent && calls < callsOfAChild,
    kill: () => {
      spent = true
      child?.kill()
    },
    run: call =>
      new Promise(resolve => {
        calls += 1
        const conversation = converse(call, child, outcome => {
          current = undefined
          if (!outcome.ok && outcome.kind !== 'threw') worker.kill()
          resolve(outcome)
        })
        current = conversation
        if (spent) conversation.end(crashed(undefined))
      })
  }
  child = await startChild(way, {
    onMessage: message => current?.take(message),
    onEnd: () => {
      spent = true
      current?.end(crashed(undefined))
      onEnd(worker)
    }
  })
  return worker
}

/** One call's exchange with its process: what carries another word than the call's own is not heard. */
function converse(call: Call, child: Child | undefined, done: (outcome: Outcome) => void) {
  const nonce = randomBytes(16).toString('base64url')
  const { limits, signal } = call
  let over = false
  const end = (outcome: Outcome): void => {
    if (over) return
    over = true
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    done(outcome)
  }
  const late = (): Outcome => ({
    ok: false,
    kind: 'timeout',
    message: `the tool did not end within ${limits.timeoutMs} ms`
  })
  const stop = (): void => end({ ok: false, kind: 'timeout', message: 'the call was cancelled' })
  const timer = setTimeout(() => end(late()), limits.timeoutMs + graceMs)
  const answer = (id: number, ok: boolean, text: string): void => {
    if (over) return
    const reply: Answer = { nonce, id, ok, text }
    child?.send({ kind: 'answer', ...reply })
  }
  const take = (message: FromChild): void => {
    if (message.kind === 'ready' || message.nonce !== nonce) return
    if (message.kind === 'done' && typeof message.text === 'string')
      return end(
        message.text.length <= limits.outputBytes
          ? { ok: true, text: message.text }
          : { ok: false, kind: 'output-limit', message: 'the answer is too long' }
      )
    if (message.kind === 'failed') return end({ ok: false, ...message.failure })
    if (message.kind !== 'ask') return
    const { id, path, params } = message
    if (path.length + params.length > maxQuestionChars)
      return answer(id, false, `a question has at most ${maxQuestionChars} characters`)
    call.ask(path, params).then(
      text => answer(id, true, text),
      (error: unknown) => answer(id, false, error instanceof Error ? error.message : 'refused')
    )
  }
  signal.addEventListener('abort', stop, { once: true })
  const { code, input } = call
  if (signal.aborted) stop()
  else child?.send({ kind: 'run', nonce, code, input, limits })
  return { take, end }
}
