import path from 'node:path'
import { parseArgs } from 'node:util'
import { errorText } from '../../../core/index.ts'
import { testData } from '../../../core/test/test-data.ts'
import type { Outcome } from './contract/exercise.ts'
import { loadRecordings } from './contract/recordings.ts'
import { replay, type Replay } from './contract/replay.ts'

function outcomeLines({ passed, what, level, note, file }: Outcome): string[] {
  const line = `${passed ? 'ok  ' : 'FAIL'} ${what.padEnd(44)} ${level.padEnd(18)} ${file}`
  return note.trim() === '' ? [line] : [line, `       ${note.trim()}`]
}

/** What recordings send and the client has no input for, by operation. */
function notDrivenLines(outcomes: readonly Outcome[]): string[] {
  const fields = Map.groupBy(
    outcomes.filter(one => one.notDriven.length > 0),
    one => one.what.replace(/ \d+$/, '')
  )
  return [...fields].toSorted().map(([op, all]) => {
    const names = [...new Set(all.flatMap(one => one.notDriven))].toSorted()
    return `     ${op.padEnd(64)} ${names.join(', ')}`
  })
}

function print({ outcomes, skipped, driven }: Replay): boolean {
  const failed = outcomes.filter(outcome => !outcome.passed).length
  const total = [...skipped.values()].reduce((sum, count) => sum + count, 0)
  const lines = [
    ...outcomes.flatMap(outcomeLines),
    '',
    'Fields that recordings send and Rayne does not:',
    ...notDrivenLines(outcomes),
    '',
    'Operations Rayne does not use, with their interactions:',
    ...[...skipped].toSorted().map(([op, count]) => `skip ${op.padEnd(64)} ${count}`),
    ...(driven === 0 ? ['', 'No recording holds an operation Rayne uses: nothing is proven.'] : []),
    '',
    `${outcomes.length - failed} passed, ${failed} failed, ${total} skipped`
  ]
  console.log(lines.join('\n'))
  return failed === 0 && driven > 0
}

const { values } = parseArgs({ options: { data: { type: 'string' } } })
const cassettes = testData('datadog-cassettes')
try {
  if (values.data === undefined && cassettes.skip !== false)
    console.log(`skipped: ${cassettes.skip}, or name them with --data DIR`)
  else {
    const folder = path.resolve(values.data ?? cassettes.folder())
    process.exitCode = print(await replay(loadRecordings(folder))) ? 0 : 1
  }
} catch (error) {
  console.error(`The recordings cannot be replayed: ${errorText(error)}`)
  process.exitCode = 1
}
