/** The headers of an answer, by any `fetch`. */
export interface AnswerHeaders {
  get(name: string): string | null
}
