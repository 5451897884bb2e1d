import { compile, errorText, Type } from '../../../../core/index.ts'
import type { Test } from '../../../../core/testing.ts'
import { startJsonServer, type Answer } from './json-server.ts'

/** `EmbedRequest` of Ollama's API description (docs/openapi.yaml of ollama/ollama); unknown fields are refused. */
const readRequest = compile(
  Type.Object(
    {
      model: Type.String(),
      input: Type.Union([Type.String(), Type.Array(Type.String())]),
      truncate: Type.Optional(Type.Boolean()),
      dimensions: Type.Optional(Type.Integer()),
      keep_alive: Type.Optional(Type.String()),
      options: Type.Optional(Type.Object({}))
    },
    { additionalProperties: false }
  )
)

/** An Ollama with these models, by dimension: the vector of a text counts its words, so that like texts are near. */
export function startOllama(t: Test, models: Readonly<Record<string, number>>) {
  return startJsonServer(t, ({ method, path, body }): Answer => {
    if (method !== 'POST' || path !== '/api/embed') return { status: 404, body: 'page not found' }
    let request: ReturnType<typeof readRequest>
    try {
      request = readRequest(body)
    } catch (error) {
      return { status: 400, body: { error: errorText(error) } }
    }
    const { model, input } = request
    const dimension = models[model]
    if (dimension === undefined)
      return {
        status: 404,
        body: { error: `model "${model}" not found, try pulling it first` }
      }
    const texts = typeof input === 'string' ? [input] : input
    return {
      status: 200,
      body: {
        model,
        embeddings: texts.map(text => countWords(text, dimension)),
        total_duration: 14_143_917,
        load_duration: 1_019_500,
        prompt_eval_count: 8
      }
    }
  })
}

function countWords(text: string, dimension: number): number[] {
  const vector = Array.from({ length: dimension }, () => 0)
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? ['']) {
    let hash = 7
    for (const letter of word) hash = (hash * 31 + letter.charCodeAt(0)) % 1_000_003
    vector[hash % dimension] = (vector[hash % dimension] ?? 0) + 1
  }
  return vector
}
