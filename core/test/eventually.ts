import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again until the answer is there, or fails with what it waited for. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 20_000
): Promise<T> {
  for (const until = performance.now() + ms; ; await sleep(20)) {
    const found = await ask()
    if (found !== undefined && found !== false) return found
    assert.ok(performance.now() < until, `${what} did not happen within ${ms} ms`)
  }
}
