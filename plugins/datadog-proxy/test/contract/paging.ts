import { at, listAt, textAt } from './read-recorded.ts'
import type { Interaction, RecordedRequest, Recording } from './recordings.ts'

const USUAL_PAGE = 10
const WHOLE_LIST = 1000

/** Rows a page of the recorded search, Datadog's default when it names none; lists without a body are read at once. */
export function pageSizeOf({ request }: Interaction): number {
  if (request.method === 'GET') return WHOLE_LIST
  const limit = Number(at(pageOf(request.body), 'limit') ?? USUAL_PAGE)
  return Number.isInteger(limit) && limit >= 1 ? Math.min(limit, WHOLE_LIST) : USUAL_PAGE
}

const pageOf = (body: unknown): unknown => at(body, 'page') ?? at(body, 'data.attributes.page')

/** The page cursor of a v2 search, sent in the body or the query. */
export function cursorOf({ query, body }: RecordedRequest): string | undefined {
  return textAt(pageOf(body), 'cursor') ?? textAt({ cursor: query['page[cursor]'] }, 'cursor')
}

/** The cursor an answer gives for the page after it. */
export const nextCursor = ({ response }: Interaction): string | undefined =>
  textAt(response.body, 'meta.page.after')

/** The rows of these pages as they were recorded. */
export const rowsOf = (pages: readonly Interaction[]): readonly unknown[] =>
  pages.flatMap(({ response }) => listAt(response.body, 'data'))

/** Whether a client must not ask for more after this page: no cursor, or fewer rows than asked for. */
export const isLast = (page: Interaction, size: number): boolean =>
  nextCursor(page) === undefined || rowsOf([page]).length < size

/** The pages one search is meant to read: from its own until a short page or a cursor nobody recorded. */
export function pagesFrom(first: Interaction, recording: Recording): Interaction[] {
  const pages = [first]
  const size = pageSizeOf(first)
  for (let page = first; !isLast(page, size);) {
    const cursor = nextCursor(page)
    const next = recording.interactions.find(
      other =>
        other.op === first.op &&
        other.request.path === first.request.path &&
        other.response.status < 400 &&
        cursorOf(other.request) === cursor
    )
    if (!next || pages.includes(next)) break
    pages.push(next)
    page = next
  }
  return pages
}

/** Whether Datadog said that it ran out of time. */
export const ranOutOfTime = ({ response }: Interaction): boolean =>
  textAt(response.body, 'meta.status') === 'timeout'
