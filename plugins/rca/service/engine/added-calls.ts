import { quote, type Meaning } from './code-meaning.ts'
import type { Hunk } from './read-diff.ts'

const loop =
  /^(?:async\s+)?(?:for|while|foreach|loop)\b|\.(?:map|forEach|each|flatMap|reduce)\(|\bdo\s*\|/
const statement = /\b(?:SELECT|INSERT INTO|UPDATE|DELETE FROM)\b/
const remoteName =
  /\.(?:query\w*|exec\w*|find\w*|get\w*|fetch\w*|load\w*|lookup\w*|call|post|request|send|invoke|scan|read\w*)\(|\bfetch\(|\b(?:http|grpc|client|repo|dao|db|session|redis|axios|requests)\.\w+\(/i
const isRemoteCall = (code: string): boolean => statement.test(code) || remoteName.test(code)
const inMemory =
  /\.(?:get|load|read|find)\(\s*["'\w]*\s*\)$|\bmap\[|r\.Header|os\.|context\.|ctx\.Value|json\./

/** Calls to a store or another service that came, apart when they stand in a loop: once for each item, not once. */
export function addedCalls(hunk: Hunk): Meaning[] {
  const depths: number[] = []
  const found: Meaning[] = []
  for (const line of hunk.lines) {
    if (line.startsWith('-') || line.trim() === '') continue
    const text = line.replace(/^[+ ]/, '')
    const depth = /^\s*/.exec(text)?.[0].replaceAll('\t', '    ').length ?? 0
    while (depths.length > 0 && depth <= (depths.at(-1) ?? 0)) depths.pop()
    const code = text.trim()
    const isNew = line.startsWith('+') && hunk.added.includes(code)
    const calls =
      isRemoteCall(code.replace(loop, '')) &&
      !inMemory.test(code) &&
      !/^(?:func|def|function|class|public|private)\b/.test(code)
    if (isNew && calls)
      found.push(
        depths.length > 0 || (loop.test(code) && /await|=>|\{.{0,200}\(/.test(code))
          ? {
              mechanism: 'query_in_loop',
              strength: 1,
              text: `asks once for each item: ${quote(code)}`
            }
          : { mechanism: 'call_added', strength: 0.6, text: `asks something more: ${quote(code)}` }
      )
    if (loop.test(code)) depths.push(depth)
  }
  const removedCalls = hunk.removed.filter(isRemoteCall).length
  return found.filter(
    ({ mechanism }, index) => mechanism === 'query_in_loop' || index >= removedCalls
  )
}
