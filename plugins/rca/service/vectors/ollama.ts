import { compile, Type } from '../../../../core/index.ts'
import { askJson, unavailable } from './ask-json.ts'

/** Makes vectors of texts, each of length 1 and all of one dimension. */
export interface Embedder {
  readonly model: string
  embed(texts: readonly string[], signal: AbortSignal): Promise<number[][]>
}

const maxTextLength = 4_000
const maxDimension = 8_192
const readAnswer = compile(
  Type.Object({ embeddings: Type.Array(Type.Array(Type.Number(), { maxItems: maxDimension })) })
)

/** Vectors of a model that Ollama serves ; the first 4,000 characters of a text are read. */
export function createOllama({ url, model }: { url: string; model: string }): Embedder {
  const service = { name: 'Ollama', url }
  return {
    model,
    async embed(texts, signal) {
      const input = texts.map(text => text.slice(0, maxTextLength).toWellFormed())
      const answer = await askJson(service, 'POST', '/api/embed', { model, input }, signal)
      const vectors = embeddingsOf(answer).map(unitLength)
      const dimension = vectors[0]?.length
      if (vectors.length !== texts.length || vectors.some(({ length }) => length !== dimension))
        throw unavailable(
          `Ollama answered ${vectors.length} vectors for ${texts.length} texts, or of unequal length`,
          502
        )
      return vectors
    }
  }
}

function embeddingsOf(answer: unknown): number[][] {
  try {
    return readAnswer(answer, 'answer').embeddings
  } catch (error) {
    throw unavailable('Ollama answered something else than vectors', 502, error)
  }
}

function unitLength(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector)
  if (!(length > 0 && Number.isFinite(length)))
    throw unavailable('Ollama answered a vector without a direction', 502)
  return vector.map(value => value / length)
}
