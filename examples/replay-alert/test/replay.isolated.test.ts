import assert from 'node:assert/strict'
import test from 'node:test'
import { replayAlert } from '../replay.ts'

test('a recorded alert is replayed on a server that has nothing else, and gets the same report', async () => {
  const said: string[] = []
  const { before, after } = await replayAlert(line => said.push(line))
  assert.equal(before.verdict, 'suspected_change', said.join('\n'))
  assert.ok(before.suspects.length > 0)
  assert.deepEqual(after, before)
  assert.match(said.join('\n'), /world\.json: .* replaced, host names kept/)
})
