import assert from 'node:assert/strict'
import { compile } from '../../../core/schema.ts'
import { Alert } from '../contract.ts'
import { identify } from '../normalise/identity.ts'
import { normalise, type Normalised } from '../normalise/normalise.ts'
import type { Fixture } from './fixture.ts'

const validate = compile(Alert)
// A bound against catastrophe, not a measurement: a warm run takes under 15 ms, a backtracking one minutes.
export const slowest = 1_000

/** Fails unless an alert can be stored, shown and acted upon, whatever was sent. */
export function checkSound({ alert, fields }: Normalised): void {
  validate({ ...alert })
  assert.ok(!alert.parse_error?.startsWith('not read'), alert.parse_error ?? '')
  assert.ok(alert.monitor_id === null || /^\d+$/.test(alert.monitor_id))
  assert.ok(alert.at === null || Number.isFinite(alert.at))
  assert.equal(alert.firing, alert.status !== 'ok')
  for (const text of everyText({ alert, fields }))
    assert.ok(text.isWellFormed() && !text.includes('\0'))
  assert.ok(JSON.stringify({ alert, fields }).length < 8_000_000)
}

/** Fails unless what is read at once is what is read later. */
export function checkIdentity(
  raw: Uint8Array,
  headers: Fixture['headers'],
  { alert }: Normalised
): void {
  const { status, transition, firing, orgId, monitorId, service, parseError } = identify(
    raw,
    headers
  )
  assert.deepEqual(
    [status, transition, firing, orgId, monitorId, service, parseError],
    [
      alert.status,
      alert.transition,
      alert.firing,
      alert.org_id,
      alert.monitor_id,
      alert.service,
      alert.parse_error
    ]
  )
}

/** Reads a body within a time, soundly, and the same both ways. */
export function checkBounded(raw: Uint8Array, headers: Fixture['headers']): void {
  let result: Normalised | undefined
  const ms = fastest(() => {
    result = normalise(raw, headers)
  })
  assert.ok(ms <= slowest, `took ${ms.toFixed(1)} ms`)
  if (!result) return
  checkSound(result)
  checkIdentity(raw, headers, result)
}

/** The best of several runs, in ms: the limit is for the reader, not for whatever else the machine does. */
export function fastest(run: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < 10 && best > slowest / 2; round++) {
    const start = performance.now()
    run()
    best = Math.min(best, performance.now() - start)
  }
  return best
}

function everyText(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return [...Object.keys(value), ...Object.values(value).flatMap(everyText)]
}
