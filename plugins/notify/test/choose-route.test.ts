import assert from 'node:assert/strict'
import { test } from 'node:test'
import { quietSeconds } from '../service/choose-route.ts'

const at = (text: string): number => Date.parse(`2026-01-31T${text}Z`)

test('quiet hours end when they say, over midnight and in their own zone', () => {
  const night = { from: '22:00', to: '07:00', timezone: 'UTC' }
  for (const [time, seconds] of [
    ['21:59:59', 0],
    ['22:00:00', 9 * 3_600],
    ['23:30:30', 7.5 * 3_600 - 30],
    ['06:59:00', 60],
    ['07:00:00', 0],
    ['12:00:00', 0]
  ] as const)
    assert.equal(quietSeconds(night, at(time)), seconds, time)
  const noon = { from: '12:00', to: '13:00', timezone: 'Europe/Paris' }
  assert.equal(quietSeconds(noon, at('11:30:00')), 1_800)
  assert.equal(quietSeconds(noon, at('12:30:00')), 0)
  assert.equal(quietSeconds(undefined, at('12:30:00')), 0)
})
