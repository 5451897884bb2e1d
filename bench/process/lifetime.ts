import type { Test } from '../../core/testing.ts'

/** What a test application needs of a test, outside of one: steps to run at the end, the last given first. */
export function lifetime(): { readonly t: Test; end(): Promise<void> } {
  const steps: (() => unknown)[] = []
  return {
    t: { after: step => void steps.push(step), diagnostic() {}, passed: true },
    async end() {
      for (const step of steps.toReversed()) await step()
    }
  }
}
