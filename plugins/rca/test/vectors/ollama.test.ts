import assert from 'node:assert/strict'
import test from 'node:test'
import { createOllama } from '../../service/vectors/ollama.ts'
import { startJsonServer, type Trouble } from './json-server.ts'
import { startOllama } from './ollama-server.ts'

const inTime = (): AbortSignal => AbortSignal.timeout(20_000)

test('texts become vectors of length 1, as long as the model makes them', async t => {
  const { url, requests } = await startOllama(t, { small: 16 })
  const ollama = createOllama({ url: `${url}/`, model: 'small' })
  const [one, two] = await ollama.embed(
    ['pool exhausted', `pool\ud800 ${'x '.repeat(9_000)}`],
    inTime()
  )
  assert.equal(one?.length, 16)
  for (const vector of [one, two]) assert.ok(Math.abs(Math.hypot(...(vector ?? [])) - 1) < 1e-9)
  const [asked] = requests.map(({ body }) => body as { input: string[] })
  const long = asked?.input[1]
  assert.ok(long && long.length <= 4_000 && long.isWellFormed())
})

test('a model that is not there is told with what to do', async t => {
  const { url } = await startOllama(t, {})
  await assert.rejects(createOllama({ url, model: 'absent' }).embed(['x'], inTime()), {
    code: 'memory-unavailable',
    status: 404,
    message: /Ollama answered 404: .*absent.* not found, try pulling it first/
  })
})

const troubles: readonly (readonly [Trouble, RegExp])[] = [
  ['cut', /Ollama broke off its answer/],
  ['no-json', /Ollama answered no JSON: <html>/],
  ['redirect', /Ollama does not answer: .*redirect/],
  ['huge', /Ollama broke off its answer: it is longer than 8388608 bytes/],
  [{ status: 500 }, /Ollama answered 500/]
]
test('every way to go wrong is a sentence that names who went wrong', async t => {
  const { url, control } = await startOllama(t, { small: 16 })
  for (const [trouble, message] of troubles) {
    control.trouble = () => trouble
    await assert.rejects(createOllama({ url, model: 'small' }).embed(['x'], inTime()), {
      code: 'memory-unavailable',
      message
    })
  }
  control.trouble = () => 'hang'
  await assert.rejects(
    createOllama({ url, model: 'small' }).embed(['x'], AbortSignal.timeout(50)),
    { code: 'memory-unavailable', message: /Ollama does not answer: .*timeout/ }
  )
})

test('what is no vector for each text is refused', async t => {
  let embeddings: unknown = []
  const { url } = await startJsonServer(t, () => ({ status: 200, body: { embeddings } }))
  const ollama = createOllama({ url, model: 'any' })
  for (embeddings of [
    [],
    [[1, 0]],
    [[1, 0], [1]],
    [
      [1, 0],
      [0, 0]
    ],
    [
      [1, 0],
      ['1', 0]
    ],
    null
  ])
    await assert.rejects(ollama.embed(['a', 'b'], inTime()), { code: 'memory-unavailable' })
})
