import { inspect } from 'node:util'

/** What the runner is told of one test, suite or end; plain data, so that it survives the channel. */
export interface Told {
  readonly type: 'alive' | 'begin' | 'end' | 'note' | 'pass' | 'fail' | 'summary'
  readonly name?: string
  readonly file?: string
  readonly line?: number
  readonly nesting?: number
  readonly suite?: boolean
  readonly ms?: number
  readonly failure?: string
  readonly skipped?: string
  readonly counts?: Readonly<Record<string, number>>
}

/** How often a test process whose event loop turns says so. */
export const aliveEveryMs = 500

interface TestEvent {
  readonly type: string
  readonly data: Record<string, unknown> & {
    details?: { duration_ms?: number; type?: string; error?: Error }
  }
}

/** The reporter inside a test process: hands every result to the runner, which prints. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  setInterval(() => tell({ type: 'alive' }), aliveEveryMs).unref()
  for await (const { type, data } of source) {
    if (type === 'test:summary' && data['file'] === undefined)
      tell({ type: 'summary', counts: data['counts'] as Record<string, number> })
    if (type === 'test:diagnostic' && isTrouble(data))
      tell({ type: 'note', name: String(data['message']) })
    if (type === 'test:dequeue' || type === 'test:complete')
      tell({
        type: type === 'test:dequeue' ? 'begin' : 'end',
        name: String(data['name']),
        nesting: Number(data['nesting'])
      })
    if (type === 'test:pass' || type === 'test:fail')
      tell(resultOf(type === 'test:pass' ? 'pass' : 'fail', data))
  }
  yield ''
}

const isTrouble = ({ level, message }: TestEvent['data']): boolean =>
  level === 'error' || level === 'warn' || /asynchronous activity/.test(String(message))

function resultOf(type: 'pass' | 'fail', data: TestEvent['data']): Told {
  const { details = {}, file, line, name, nesting, skip, todo } = data
  return {
    type,
    name: String(name),
    nesting: Number(nesting),
    suite: details.type === 'suite',
    ms: details.duration_ms ?? 0,
    ...(typeof file === 'string' ? { file, line: Number(line) } : {}),
    ...(details.error ? { failure: failureOf(details.error) } : {}),
    ...(skip === undefined && todo === undefined ? {} : { skipped: String(skip ?? todo) })
  }
}

const tell = (told: Told): void => {
  process.send?.(told)
}

/** A suite fails because of its tests, and a test may be cancelled because of its suite: both are told there. */
function failureOf(error: Error & { failureType?: string }): string {
  if (error.failureType === 'subtestsFailed' || error.failureType === 'cancelledByParent') return ''
  return inspect(error.cause ?? error, { depth: 4 }).replace(/^ +at .*node:internal.*\n?/gm, '')
}
