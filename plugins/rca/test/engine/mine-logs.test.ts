import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { threadMs } from '../../../../core/test/thread-time.ts'
import { compareTemplates, type SourcedLine } from '../../service/engine/compare-templates.ts'
import { maskLine } from '../../service/engine/mask-line.ts'
import { mineLogs } from '../../service/engine/mine-logs.ts'

const textsOf = (...lines: string[]): string[] => mineLogs(lines).templates.map(({ text }) => text)
const masked = (line: string): string => maskLine(line).join(' ')

describe('masking', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['GET https://shop.example/a?b=1 took 12ms', 'GET <*> took <*>'],
    ['at 2024-05-01T10:00:00.123Z and Mon Jun 20 03:40:59 2005', 'at <*> and <*>'],
    ['id 6f9619ff-8b86-d011-b42d-00cf4fc964ff on 00:1b:63:84:45:e6', 'id <*> on <*>'],
    ['peer /10.1.2.3:5060 gone, cache.example:6379 gone', 'peer <*> gone , <*> gone'],
    ['"GET /v2/x HTTP/1.1" status: 200 len: 13', 'GET <*> status : <*> len : <*>'],
    ['open C:\\Windows\\a.dll and /var/log/x.log failed', 'open <*> and <*> failed'],
    ["can't stop, won't stop", "can't stop , won't stop"],
    ["state 'ready' of 'job 7'", "state 'ready' of <*>"],
    ['sent 451 bytes (0.44 KB) of 2 MB', 'sent <*> of <*>'],
    ['mode enable.......1', 'mode enable <*>'],
    ['delete blk_1 blk_2, blk_3', 'delete <*>'],
    ['user=root rhost=db.example', 'user = root rhost = <*>'],
    ['connection from 10.0.0.1 () closed', 'connection from <*> ( <*> ) closed'],
    ['a=true b=false c=x', 'a = <*> b = <*> c = x'],
    ['ok=true', 'ok = true'],
    ['level=error msg="pool exhausted" host=db-1', 'level = error msg = pool exhausted host = <*>'],
    ['', '']
  ]
  for (const [line, template] of cases)
    test(line || 'an empty line', () => {
      assert.equal(masked(line), template)
    })

  test('JSON lines keep their message', () => {
    assert.notEqual(
      masked('{"level":"error","msg":"connection refused","host":"db-1"}'),
      masked('{"level":"error","msg":"pool exhausted","host":"db-1"}')
    )
  })

  test('does not look past the thousandth character', () => {
    assert.equal(masked(`${'a '.repeat(600)}b`), masked(`${'a '.repeat(600)}c`))
  })
})

describe('merging', () => {
  test('words after an introducing word are a value from three on', () => {
    assert.deepEqual(textsOf('login for anna ok', 'login for bert ok', 'login for carl ok'), [
      'login for <*> ok'
    ])
    assert.equal(textsOf('login for anna ok', 'login for bert ok').length, 2)
  })

  test('elsewhere from eight on, and outcomes and the names of errors never', () => {
    const words = 'red blue green black white brown grey pink'.split(' ')
    assert.deepEqual(textsOf(...words.map(word => `the ${word} queue`)), ['the <*> queue'])
    assert.equal(textsOf(...words.slice(1).map(word => `the ${word} queue`)).length, 7)
    const outcomes = 'started stopped failed loading closing opened moved killed retried'.split(' ')
    assert.equal(textsOf(...outcomes.map(word => `task ${word} here`)).length, outcomes.length)
    const errors = ['IOException', 'SocketException', 'NullPointerException', 'TimeoutException']
    assert.equal(textsOf(...errors.map(name => `thrown by main java.io.${name} here`)).length, 4)
  })

  test('the verb of a request says which operation it is', () => {
    const lines = ['GET', 'POST', 'DELETE', 'PUT'].map(
      verb => `10.0.0.1 "${verb} /v2/x" status: 200`
    )
    assert.equal(textsOf(...lines).length, 4)
  })

  test('which message it is stays: a first word needs far more alternatives', () => {
    const daemons = 'cupsd klogd hcid portmap sdpd syslogd crond irqd gpmd'.split(' ')
    assert.equal(
      textsOf(...daemons.map(name => `${name} startup succeeded`)).length,
      daemons.length
    )
  })

  test('a rare shape that a frequent one covers is one more value of it', () => {
    const frequent = Array.from({ length: 20 }, (_, n) => `synced to 10.0.0.${n}, level ${n}`)
    assert.deepEqual(textsOf(...frequent, 'synced to LOCAL(0), level 10'), [
      'synced to <*> , level <*>'
    ])
    const often = Array.from({ length: 20 }, (_, n) => `${n} error: refused by ${n}`)
    assert.deepEqual(textsOf(...often, 'wpad:80 error: refused by 3'), [
      '<*> error : refused by <*>'
    ])
  })

  test('absence is no value of a pair', () => {
    assert.equal(textsOf('lock owner=null n=1', 'lock owner=w-1 n=2').length, 2)
    assert.deepEqual(textsOf('lock owner=core n=1', 'lock owner=w-1 n=2'), [
      'lock owner = <*> n = <*>'
    ])
  })
})

const words = fc.constantFrom(
  'open',
  'close',
  'order',
  'failed',
  'user',
  'for',
  'cache',
  'to',
  '=',
  '(',
  ')',
  ',',
  ':'
)
const values = fc.oneof(
  fc.nat().map(String),
  fc.ipV4(),
  fc.uuid(),
  fc.constant('/var/lib/x.db'),
  fc.webUrl()
)
const shapes = fc.array(fc.oneof(words, fc.constant('VALUE')), { minLength: 1, maxLength: 12 })

test('lines that differ in values only have one template, each line has one, and the counts add up', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(shapes, fc.array(values, { minLength: 12, maxLength: 12 })), {
        maxLength: 40
      }),
      made => {
        const lines = made.map(([shape, filled]) =>
          shape.map((word, index) => (word === 'VALUE' ? (filled[index] ?? '') : word)).join(' ')
        )
        const { templates, templateOf } = mineLogs(lines)
        const counts = templates.map(() => 0)
        for (const template of templateOf) counts[template] = (counts[template] ?? 0) + 1
        assert.deepEqual(
          counts,
          templates.map(({ count }) => count)
        )
        for (const [index, { firstLine }] of templates.entries())
          assert.equal(templateOf[firstLine], index)
        const bySame = new Map<string, number>()
        made.forEach(([shape], line) => {
          const key = shape.join(' ')
          const template = templateOf[line] ?? -1
          assert.equal(bySame.get(key) ?? template, template)
          bySame.set(key, template)
        })
        assert.deepEqual(mineLogs(lines), { templates, templateOf })
      }
    )
  )
})

test('any text is taken, in bounded time', () => {
  fc.assert(fc.property(fc.string({ maxLength: 3_000 }), text => maskLine(text).length <= 150))
  for (const part of ['a-', 'a.', '/a', 'a://', '1:', '"', "'", '(', 'msg= ', '0a:', 'Jan  1 ']) {
    const started = threadMs()
    for (let n = 0; n < 100; n += 1) maskLine(part.repeat(2_000))
    assert.ok(threadMs() - started < 1_000, part)
  }
})

describe('templates before and after the onset', () => {
  const write = (text: string, count: number, from: number, source = 'checkout'): SourcedLine[] =>
    Array.from({ length: count }, (_, n) => ({ text: `${text} ${n}`, at: from + n, source }))
  const window = { from: 0, onset: 1_000, until: 2_000 }

  test('new, vanished, more and fewer are told, strongest first, with examples', () => {
    const lines = [
      ...write('handled', 300, 0),
      ...write('handled', 300, 1_000),
      ...write('cache hit', 200, 0),
      ...write('timeout after', 120, 1_100),
      ...write('retry', 10, 0),
      ...write('retry', 60, 1_000)
    ]
    const changed = compareTemplates({ lines, ...window })
    assert.deepEqual(
      changed.map(({ text, change, before, after }) => [text, change, before, after]),
      [
        ['cache hit <*>', 'vanished', 200, 0],
        ['timeout after <*>', 'new', 0, 120],
        ['retry <*>', 'more', 10, 60]
      ]
    )
    assert.equal(changed[1]?.firstAt, 1_100)
    assert.deepEqual(
      changed[1]?.examples.map(index => lines[index]?.text),
      [0, 1, 2, 3, 4].map(n => `timeout after ${n}`)
    )
  })

  test('rates are per call: three times the traffic makes three times the lines and says nothing', () => {
    const lines = [...write('handled', 100, 0), ...write('handled', 300, 1_000)]
    assert.equal(compareTemplates({ lines, ...window })[0]?.change, 'more')
    const calls = new Map([['checkout', { before: 1_000, after: 3_000 }]])
    assert.deepEqual(compareTemplates({ lines, ...window, calls }), [])
  })

  test('a line may stand for many, and what lies outside of the window is left out', () => {
    const lines: SourcedLine[] = [
      { text: 'pool exhausted', at: 1_500, source: 'db', count: 400 },
      { text: 'pool exhausted', at: 5_000, source: 'db', count: 400 },
      { text: 'one odd line', at: 1_500, source: 'db' }
    ]
    assert.deepEqual(
      compareTemplates({ lines, ...window }).map(({ text, after }) => [text, after]),
      [['pool exhausted', 400]]
    )
  })
})
