import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { createTestApp } from '../../../core/testing.ts'
import { epochMs } from '../../../core/index.ts'
import {
  DatadogToken,
  type NotebookCell,
  type NotebookDraft
} from '../../datadog-proxy/contract.ts'
import { Alert } from '../../webhooks/contract.ts'
import webhooks from '../../webhooks/plugin.ts'
import { Report } from '../contract.ts'
import rca from '../plugin.ts'
import { draftNotebook } from '../service/notebook.ts'
import { fakeDatadog } from './fake-datadog.ts'
import { renderedCell } from './rendered.ts'
import { textFields, valueOf } from './schema-values.ts'

/** A word that is in every hostile text and nowhere else, so that what is left out is seen too. */
const word = 'zqword'
const plain = `${word}plain`

const hostile: readonly string[] = [
  `<script>alert('${word}')</script>`,
  `<img src=x onerror=alert(1)> ${word}`,
  `</td></tr></table><iframe src="//evil.example"></iframe>${word}`,
  `<!-- ${word}`,
  `&lt;b&gt; &#60;b> ${word}`,
  `[${word}](http://evil.example/)`,
  `[${word}](javascript:alert(1))`,
  `![${word}](https://evil.example/p.png?q=1)`,
  `[${word}][1]\n\n[1]: http://evil.example`,
  `<javascript:alert('${word}')>`,
  `<http://evil.example/${word}>`,
  `http://evil.example/${word} and HTTPS://evil.example and ftp://evil.example`,
  `_http://evil.example/${word}_`,
  `www.evil.example ${word} (www.evil.example)`,
  `${word}@evil.example mailto:${word}@evil.example @all @slack-general`,
  `//evil.example/${word}`,
  `{{#is_alert}}${word}{{/is_alert}} \${${word}} <%= ${word} %> %%% ${word}`,
  `$$${word}$$ $x$`,
  `${word} | cell | cell |\n|---|---|---|\n| a | b | c |`,
  `${word}\n\n# heading\n\n- item\n\n> quote\n\n---\n\n\`\`\`js\ncode\n\`\`\``,
  `${word}\r\n===\r\n${word}\u2028---\u2029# x\u0085# y`,
  ...['#', '##', '-', '+', '*', '>', '1.', '1)', '=', '---', '```', '~~~', '|', ':---', '    '].map(
    start => `${start} ${word}`
  ),
  `**${word}** __${word}__ ~~${word}~~ \`${word}\` *${word}* _${word}_ ^[${word}]`,
  `${word}\\`,
  `${word}\\\\](http://evil.example)`,
  `${word}\`\`\``,
  `)](http://evil.example/${word})`,
  `**](http://evil.example) ${word}`,
  `\u202e${word}\u202c \u2066${word}\u2069 \u061c\u200e\u200f`,
  `${word}\u200b\u2060\ufeff\u00ad\u{e0041}\ufe0f\u3164\ufff9`,
  `\u001b[31m${word}\u001b[0m \u001b]8;;http://evil.example\u0007${word}\u001b]8;;\u0007 \u009b31m`,
  `${word}\u0000${word}`,
  `\u0008\u0008\u0008${word}\u007f`,
  `\ud800${word}\udfff`
]

const unseen = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]|\p{Cs}/u
const account = { appUrl: 'https://app.datadoghq.com' }
const window = { from: epochMs(1_700_000_000_000), to: epochMs(1_700_003_600_000) }
const analysisId = '7b5e3f2e-1111-4000-8000-000000000000'

interface Given {
  readonly alert: Alert
  readonly report: Report
}
const draft = ({ alert, report }: Given): NotebookDraft =>
  draftNotebook(analysisId, alert, report, window, account)

/** An alert and a report with every field and every kind of slot that the notebook treats by its name. */
function given(text: string): Given {
  const alert = valueOf(Alert, text) as Alert
  const report = valueOf(Report, text) as Report
  const slots = report.evidence.flatMap(slot =>
    ['metric', 'logs', 'monitor'].map(name => ({
      ...slot,
      slot: name,
      rows: slot.rows.map(row => ({ ...row, facts: { ...row.facts, name: text } }))
    }))
  )
  return { alert, report: { ...report, evidence: [...report.evidence, ...slots] } }
}

/** Nothing of a cell is alive but what Rayne itself wrote there, and nothing in it is unseen. */
function assertInert(cell: NotebookCell, what: string): void {
  const { text, title } = { text: '', title: '', ...cell }
  assert.doesNotMatch(`${text.replaceAll('\n', '')}${title}`, unseen, what)
  for (const link of renderedCell(cell).links)
    assert.ok(link.startsWith(`${account.appUrl}/`), `${what}: ${link}`)
}

/** A notebook has the same elements as one of plain texts; cells that are the same need no look. */
function assertLike(notebook: NotebookDraft, like: NotebookDraft, what: string): void {
  assert.equal(notebook.cells.length, like.cells.length, what)
  for (const [n, cell] of notebook.cells.entries()) {
    const expected = like.cells[n]
    assert.ok(expected, what)
    if (isDeepStrictEqual(cell, expected)) continue
    assertInert(cell, what)
    assert.deepEqual(renderedCell(cell).elements, renderedCell(expected).elements, what)
  }
  assert.doesNotMatch(notebook.name, unseen, what)
  assert.ok(notebook.name.length <= 80, what)
}

const words = ({ name, cells }: NotebookDraft): number =>
  [name, ...cells.map(cell => renderedCell(cell).text)].join(' ').split(word).length - 1

test('no field of an alert or a report brings anything alive into the notebook', async () => {
  const base = given(plain)
  const like = draft(base)
  const fields = textFields(base, plain)
  assert.ok(fields.length >= 90, `${fields.length} texts`)
  for (const path of ['/alert/tags/0', '/report/summary', '/report/evidence/0/rows/0/facts/{key}'])
    assert.ok(
      fields.some(field => field.path === path),
      path
    )
  const shown = fields.filter(({ put }) => words(draft(put('') as Given)) < words(like))
  assert.ok(shown.length >= 40, `${shown.length} are shown`)
  for (const text of hostile) {
    const what = JSON.stringify(text)
    assertLike(draft(given(text)), like, what)
    for (const { path, put } of shown)
      assertLike(draft(put(text) as Given), like, `${path}: ${what}`)
    await setImmediate()
  }
  // Inert is not left out: what is shown of a plain text is shown of a hostile one.
  for (const { path, put } of shown)
    assert.equal(words(draft(put(`<b>${word}</b>`) as Given)), words(like), path)
})

const answer = <T>(query: string, rows: T[]) => ({
  rows,
  truncated: false,
  warnings: [...hostile],
  asked: { query, limit: 100 }
})

test('hostile facts of a sender and hostile answers of Datadog end as text', async t => {
  const at = epochMs(Date.now() - 900_000)
  const rows = hostile.map(text => ({
    id: text,
    at,
    message: text,
    tags: [`service:${text}`, text]
  }))
  const [first = plain] = hostile
  const fake = fakeDatadog({
    monitor: async id => ({
      id,
      name: first,
      type: 'query alert',
      query: `avg(last_5m):avg:system.cpu.user{host:${first}} > 90`,
      message: first,
      tags: [...hostile],
      state: first,
      thresholds: { critical: 90 },
      priority: null
    }),
    events: async ({ query }) =>
      answer(
        query,
        rows.map(row => ({ ...row, title: row.message, source: row.message }))
      ),
    logs: async ({ query }) =>
      answer(
        query,
        rows.map(row => ({
          ...row,
          service: row.id,
          host: row.id,
          status: 'error',
          attributes: {}
        }))
      )
  })
  const app = await createTestApp(t, {
    plugins: [rca, webhooks],
    env: { RAYNE_WEBHOOKS_SETTLE_SECONDS: '0' },
    fakes: [[DatadogToken, fake.service]]
  })
  // Every text stands in some field; which one of them matters is the matter of the test above.
  const names = Object.keys(Alert.properties)
  const rounds = Math.ceil(hostile.length / names.length)
  for (let round = 0; round < rounds; round += 1) {
    const facts = names.map((name, n) => [
      name,
      hostile[(n + round * names.length) % hostile.length]
    ])
    const known = { monitor_id: String(round + 1), status: 'Alert', transition: 'Triggered', at }
    const body = { ...Object.fromEntries(facts), ...known, firing: true }
    assert.equal((await app.call('POST', '/v1/webhooks/receive', body)).status, 202)
  }
  await app.drain()
  assert.equal(fake.notebooks.length, rounds)
  for (const cell of fake.notebooks.flatMap(notebook => notebook.cells)) {
    const what = JSON.stringify(cell)
    assertInert(cell, what)
    const alive = /^(?:html|image|fence|code_block|blockquote)/
    assert.deepEqual(
      renderedCell(cell).elements.filter(each => alive.test(each)),
      [],
      what
    )
  }
  assert.ok(fake.notebooks.every(notebook => words(notebook) > 20))
})
