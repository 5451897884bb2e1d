import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { clientConfig, clientNames } from '../../mcp/client-config.ts'
import { fitAnswer, maxAnswerChars } from '../../mcp/fit-answer.ts'
import { createKeptAnswers } from '../../mcp/kept-answers.ts'
import { createRate } from '../../mcp/rate.ts'

const link = (page: number): string => `rayne://result/x/${page}`

test('an answer of any shape and size fits, and no row of it is lost', () => {
  const row = fc.record({
    text: fc.string({ maxLength: 40 }),
    times: fc.integer({ min: 1, max: 900 })
  })
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), fc.option(fc.string()), (texts, note) => {
      const rows = texts.map(({ text, times }, n) => ({ n, text: text.repeat(times) }))
      const answer = { rows, truncated: false, note }
      const { value, pages } = fitAnswer(answer, link)
      assert.ok(JSON.stringify(value).length <= maxAnswerChars)
      if (pages.length === 0) return assert.deepEqual(value, answer)
      const shown = value as typeof answer
      assert.equal(shown.truncated, true)
      const paged = pages.flatMap(page => JSON.parse(page) as typeof rows)
      assert.deepEqual(paged.slice(0, shown.rows.length), shown.rows)
      assert.deepEqual(
        paged.map(({ n }) => n),
        rows.map(({ n }) => n)
      )
      for (const page of pages) assert.ok(page.length <= maxAnswerChars)
      return undefined
    }),
    { numRuns: 60 }
  )
  const deep = fitAnswer({ a: [{ b: 'x'.repeat(1_000_000) }], c: Array(100_000).fill('y') }, link)
  assert.ok(JSON.stringify(deep.value).length <= maxAnswerChars)
})

test('pages are kept for their caller, for a while, and make room', () => {
  let now = 0
  const kept = createKeptAnswers(() => now)
  kept.keep('a', 'ann', ['1', '2'])
  assert.equal(kept.page('a', 'ann', 2), '2')
  assert.equal(kept.page('a', 'bob', 2), undefined)
  assert.equal(kept.page('a', 'ann', 0), undefined)
  now = 16 * 60_000
  assert.equal(kept.page('a', 'ann', 1), undefined)
  for (let n = 0; n < 12; n++) kept.keep(`n${n}`, 'ann', ['x'.repeat(3_500_000)])
  assert.equal(kept.page('n0', 'ann', 1), undefined)
  assert.notEqual(kept.page('n11', 'ann', 1), undefined)
})

test('calls are counted for each caller, and time gives them back', () => {
  let now = 0
  const rate = createRate(60, () => now)
  for (let n = 0; n < 60; n++) assert.equal(rate('ann'), 0)
  assert.equal(rate('ann'), 1)
  assert.equal(rate('bob'), 0)
  now = 2_000
  assert.deepEqual([rate('ann'), rate('ann'), rate('ann')], [0, 0, 1])
})

test('a configuration for each client, without a secret', () => {
  const command = ['/usr/bin/node', "/srv/a b/it's/bin.js", 'mcp']
  for (const client of clientNames)
    for (const url of [undefined, 'http://127.0.0.1:8080/mcp']) {
      const text = clientConfig(client, { url, command, home: '/srv/a b/.rayne' }).join('\n')
      assert.match(text, url === undefined ? /bin\.js/ : /127\.0\.0\.1:8080\/mcp/)
      if (client === 'claude-desktop') assert.ok(JSON.parse(text))
      else if (url === undefined) assert.match(text, /'\/srv\/a b\/it'\\''s\/bin\.js'/)
    }
})
