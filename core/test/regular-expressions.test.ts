import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { readSources, type SourceFile } from './source-files.ts'
import type { Node } from './syntax.ts'
import { threadMs } from './thread-time.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const length = 12_000
/** A quadratic expression takes seconds for this length, a linear one a thousandth of it. */
const mostMs = 350

interface Expression {
  readonly where: string
  readonly pattern: string
  readonly flags: string
}

function expressionsOf({ path, nodes }: SourceFile): Expression[] {
  return nodes.flatMap((node: Node) => {
    const regex = node['regex'] as { pattern: string; flags: string } | undefined
    return regex ? [{ where: path, ...regex }] : []
  })
}

/** What keeps an expression hoping: single characters, and its own words with what may follow them. */
function pumps(pattern: string): string[] {
  const words = [...new Set(pattern.match(/[A-Za-z]{2,}/g) ?? [])]
  return [
    ...'aA10 \t\n"\\<{([:/-_.,#|*@=\'',
    ...words.flatMap(word => ['', ':', '<'].map(end => word + end))
  ]
}

function slowest({ pattern, flags }: Expression): { ms: number; pump: string } {
  const expression = new RegExp(pattern, flags.replace('y', ''))
  let worst = { ms: 0, pump: '' }
  for (const pump of pumps(pattern)) {
    const text = `${pump.repeat(Math.ceil(length / pump.length))}\u0001`
    const started = threadMs()
    text.replace(expression, '')
    const ms = threadMs() - started
    if (ms > worst.ms) worst = { ms, pump }
    if (ms > mostMs) break
  }
  return worst
}

test('no regular expression takes a long time for a long text', async () => {
  const all = readSources(root)
    .filter(file => !file.isTest && /^(?:core|plugins|tools|simulator)\//.test(file.path))
    .flatMap(expressionsOf)
  assert.ok(all.length > 300, `${all.length} expressions`)
  const slow: string[] = []
  // A sticky expression is tried at the places its caller chooses, and not at each.
  for (const each of all.filter(({ flags }) => !flags.includes('y'))) {
    // What takes long once may have waited for the processor.
    const first = slowest(each)
    const found = first.ms > mostMs ? slowest(each) : first
    if (found.ms > mostMs)
      slow.push(`${each.where}: /${each.pattern}/ on many ${JSON.stringify(found.pump)}`)
    await yieldToOthers()
  }
  assert.deepEqual(slow, [])
})
