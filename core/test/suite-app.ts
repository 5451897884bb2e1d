import { after, before } from 'node:test'
import { createTestApp, type Test, type TestAppOptions } from '../testing.ts'

type TestApp = Awaited<ReturnType<typeof createTestApp>>
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

/** One application for all tests of a suite, started before the first and closed after the last. */
export function suiteApp(options: Omit<TestAppOptions, 'onLog'> = {}) {
  const lines: string[] = []
  const steps: (() => Promise<unknown> | unknown)[] = []
  let app: TestApp | undefined
  before(async () => {
    const context: Test = {
      after: step => {
        steps.push(step)
      },
      diagnostic: () => {},
      passed: true
    }
    app = await createTestApp(context, {
      ...options,
      onLog: line => {
        lines.push(line)
      }
    })
  })
  after(async () => {
    for (const step of steps) await step()
  })
  const started = (): TestApp => {
    if (!app) throw new Error('the application has not been started')
    return app
  }
  return {
    lines,
    get app() {
      return started()
    },
    get url() {
      return started().url
    },
    call: (...given: Parameters<TestApp['call']>): Promise<Answer> => started().call(...given)
  }
}
