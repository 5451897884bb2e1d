import { DatadogError, type NotebookCell, type NotebookRef } from '../../contract.ts'
import type { DatadogNotebook, NotebookBody } from './account.ts'
import type { Sdk } from './load-sdk.ts'
import { decimalId } from './path-part.ts'
import { defined, idOf, isObject, numberOf, objectOf, textOf, timeOf } from './read-json.ts'
import { needs, type Call } from './send-request.ts'

/** One cell as the official client wants it. */
type CellRequest = Parameters<
  Awaited<ReturnType<Sdk['v1']>>['notebooks']['createNotebook']
>[0]['data']['attributes']['cells'][number]

const longestName = 80
const pageSize = 100
const mostPages = 10

/**
 * Creates a notebook, sent once: look with findNotebook before sending it again. Names longer than 80 characters are
 * `invalid`.
 */
export async function createNotebook(
  call: Call,
  sdk: Sdk,
  appUrl: string,
  draft: NotebookBody
): Promise<NotebookRef> {
  const body = bodyOf(draft)
  const answer = await call.write(needs('notebooks_write'), async () =>
    (await sdk.v1()).notebooks.createNotebook(body)
  )
  const created = isObject(answer) ? toRef(answer['data'], appUrl) : undefined
  if (!created)
    throw new DatadogError(
      'garbage',
      'Datadog answered the new notebook without its id, so it may exist',
      { datadogStatus: 200 }
    )
  return created
}

/** Replaces a notebook: Datadog keeps none of the old cells and gives the new ones new ids. */
export async function updateNotebook(
  call: Call,
  sdk: Sdk,
  appUrl: string,
  id: string,
  draft: NotebookBody
): Promise<NotebookRef> {
  const digits = decimalId(id, 'a notebook id')
  const body = bodyOf(draft)
  const answer = await call.write(needs('notebooks_write'), async () =>
    (await sdk.v1()).notebooks.updateNotebook(digits, body)
  )
  const updated = isObject(answer) ? toRef(answer['data'], appUrl) : undefined
  if (!updated)
    throw new DatadogError('garbage', 'Datadog answered the changed notebook without its id', {
      datadogStatus: 200
    })
  return updated
}

/** One notebook with all cells, those of unknown widgets too. */
export async function getNotebook(
  call: Call,
  sdk: Sdk,
  appUrl: string,
  id: string
): Promise<DatadogNotebook> {
  const digits = decimalId(id, 'a notebook id')
  const answer = await call.read(needs('notebooks_read'), async () =>
    (await sdk.v1()).notebooks.getNotebook(digits)
  )
  const data = isObject(answer) ? answer['data'] : undefined
  const ref = toRef(data, appUrl)
  const attributes = objectOf(objectOf(data)['attributes'])
  if (!ref || !Array.isArray(attributes['cells']))
    throw new DatadogError('garbage', 'Datadog answered a notebook without its cells', {
      datadogStatus: 200
    })
  const cells = attributes['cells'].map(cell => {
    const definition = objectOf(objectOf(objectOf(cell)['attributes'])['definition'])
    return {
      id: idOf(objectOf(cell)['id']) ?? '',
      type: textOf(definition['type']) ?? 'unknown',
      definition
    }
  })
  return { ...ref, cells, ...defined({ modifiedAt: timeOf(attributes['modified']) }) }
}

/** The newest notebook whose name contains the text literally: Datadog's own query is a word search. */
export async function findNotebook(
  call: Call,
  sdk: Sdk,
  appUrl: string,
  text: string
): Promise<NotebookRef | undefined> {
  for (let page = 0; page < mostPages; page++) {
    const answer = await call.read(needs('notebooks_read'), async () =>
      (await sdk.v1()).notebooks.listNotebooks(
        undefined,
        undefined,
        page * pageSize,
        pageSize,
        'created',
        'desc',
        text,
        false
      )
    )
    if (!isObject(answer) || !Array.isArray(answer['data']))
      throw new DatadogError('garbage', 'Datadog answered a notebook list without a list', {
        datadogStatus: 200
      })
    const found = newest(answer['data'].filter(item => nameOf(item)?.includes(text)))
    if (found) return toRef(found, appUrl)
    const total = numberOf(objectOf(objectOf(answer['meta'])['page'])['total_filtered_count'])
    if (answer['data'].length < pageSize || (total !== undefined && (page + 1) * pageSize >= total))
      return undefined
  }
  throw new DatadogError(
    'invalid',
    `more than ${mostPages * pageSize} notebooks match ` +
      `${JSON.stringify(text.slice(0, 80))} and none of those has it in its name`
  )
}

function bodyOf({ name, cells, window }: NotebookBody) {
  if (name === '' || name.length > longestName)
    throw new DatadogError(
      'invalid',
      `a notebook name has 1 to ${longestName} characters, this one ${name.length}`
    )
  const time =
    'live' in window
      ? { liveSpan: window.live }
      : { start: new Date(window.from), end: new Date(window.to) }
  return {
    data: {
      type: 'notebooks' as const,
      attributes: { name, cells: cells.map(toCell), time, status: 'published' as const }
    }
  }
}

function toCell(cell: NotebookCell): CellRequest {
  const definition =
    cell.type === 'markdown'
      ? { type: 'markdown' as const, text: cell.text }
      : {
          type: 'timeseries' as const,
          title: cell.title,
          showLegend: true,
          requests: [{ q: cell.query, displayType: 'line' as const }]
        }
  return { type: 'notebook_cells', attributes: { definition } } as CellRequest
}

const nameOf = (item: unknown): string | undefined =>
  textOf(objectOf(objectOf(item)['attributes'])['name'])
const createdOf = (item: unknown): number =>
  timeOf(objectOf(objectOf(item)['attributes'])['created']) ?? 0
const newest = (items: readonly unknown[]): unknown =>
  items.toSorted((a, b) => createdOf(b) - createdOf(a))[0]

function toRef(item: unknown, appUrl: string): NotebookRef | undefined {
  const id = idOf(objectOf(item)['id'])
  return id === undefined
    ? undefined
    : { id, name: nameOf(item) ?? '', url: `${appUrl}/notebook/${id}` }
}
