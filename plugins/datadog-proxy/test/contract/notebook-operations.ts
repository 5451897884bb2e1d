import assert from 'node:assert/strict'
import { epochMs } from '../../../../core/index.ts'
import type { NotebookCell, NotebookRef } from '../../contract.ts'
import type { LiveSpan, NotebookBody } from '../../service/client/account.ts'
import { instantOf } from './instants.ts'
import { operation, type Driven, type Operation } from './operation.ts'
import { at, garbageUnless, idAt, lastPart, listAt, objectOf, textAt } from './read-recorded.ts'

const ATTRIBUTES = 'data.attributes'
/** Cells are written in our own two kinds, and what they show is always published. */
const ours = [`body.${ATTRIBUTES}.cells`, `body.${ATTRIBUTES}.status`]
/** A recording without a window gets the hour before it was made. */
const window = ['start', 'end', 'live_span'].map(name => `body.${ATTRIBUTES}.time.${name}`)

function cellOf(cell: unknown): NotebookCell {
  const definition = at(cell, 'attributes.definition')
  if (at(definition, 'type') === 'markdown')
    return { type: 'markdown', text: textAt(definition, 'text') ?? '' }
  return {
    type: 'timeseries',
    title: textAt(definition, 'title') ?? '',
    query:
      textAt(definition, 'requests.0.q') ??
      textAt(definition, 'requests.0.queries.0.query') ??
      'avg:system.load.1{*}'
  }
}

function windowOf(time: unknown, recordedAt: number): NotebookBody['window'] {
  const live = textAt(time, 'live_span')
  if (live !== undefined) return { live: live as LiveSpan }
  const [from, to] = [at(time, 'start'), at(time, 'end')].map(one => instantOf(one, recordedAt))
  return {
    from: epochMs(from ?? recordedAt - 3_600_000),
    to: epochMs(to ?? recordedAt)
  }
}

function draftOf({ interaction: { request }, recording }: Driven): NotebookBody {
  const attributes = at(request.body, ATTRIBUTES)
  return {
    name: textAt(attributes, 'name') ?? '',
    cells: listAt(attributes, 'cells').map(cellOf),
    window: windowOf(at(attributes, 'time'), recording.at)
  }
}

const hasId = ({ interaction: { response } }: Driven) =>
  garbageUnless(idAt(response.body, 'data.id') !== undefined)

function verifyRef(ref: NotebookRef, { interaction: { response } }: Driven): void {
  const id = idAt(response.body, 'data.id')
  assert.deepEqual([ref.id, ref.name], [id, textAt(response.body, 'data.attributes.name') ?? ''])
  assert.ok(ref.url.endsWith(`/notebook/${id}`), ref.url)
}

const createNotebook = operation({
  own: ours,
  fills: window,
  drive: (account, driven) => account.createNotebook(draftOf(driven)),
  refuses: hasId,
  verify: verifyRef
})

const updateNotebook = operation({
  own: ours,
  fills: window,
  drive: (account, driven) => account.updateNotebook(lastPart(driven.interaction), draftOf(driven)),
  refuses: hasId,
  verify: verifyRef
})

const getNotebook = operation({
  drive: (account, { interaction }) => account.notebook(lastPart(interaction)),
  refuses: ({ interaction: { response } }) =>
    garbageUnless(
      idAt(response.body, 'data.id') !== undefined &&
        Array.isArray(at(response.body, 'data.attributes.cells'))
    ),
  verify(notebook, driven) {
    verifyRef(notebook, driven)
    const attributes = at(driven.interaction.response.body, ATTRIBUTES)
    const modified = Date.parse(textAt(attributes, 'modified') ?? '')
    assert.equal(notebook.modifiedAt, Number.isNaN(modified) ? undefined : modified)
    assert.deepEqual(
      notebook.cells.map(cell => [cell.id, cell.definition]),
      listAt(attributes, 'cells').map(cell => [
        idAt(cell, 'id') ?? '',
        objectOf(at(cell, 'attributes.definition'))
      ])
    )
  }
})

const nameAt = (item: unknown): string | undefined => textAt(item, 'attributes.name')
const createdAt = (item: unknown): number =>
  Date.parse(textAt(item, 'attributes.created') ?? '') || 0
/** The first name of a list is looked for; where none has one, a name that nobody gives. */
const wanted = ({ interaction: { response } }: Driven): string =>
  listAt(response.body, 'data').flatMap(item => nameAt(item) ?? [])[0] ??
  'no notebook has this name'

const listNotebooks = operation({
  own: ['start', 'count', 'sort_field', 'sort_dir', 'query', 'include_cells'].map(
    name => `query.${name}`
  ),
  drive: (account, driven) => account.findNotebook(wanted(driven)),
  refuses: ({ interaction: { response } }) =>
    garbageUnless(Array.isArray(at(response.body, 'data'))),
  verify(found, driven) {
    const newest = listAt(driven.interaction.response.body, 'data')
      .filter(item => nameAt(item)?.includes(wanted(driven)))
      .toSorted((a, b) => createdAt(b) - createdAt(a))[0]
    assert.deepEqual([found?.id, found?.name], [idAt(newest, 'id'), nameAt(newest)])
  }
})

/** Recorded notebooks. */
export const notebookOperations: Readonly<Record<string, Operation>> = {
  'v1.NotebooksApi.createNotebook': createNotebook,
  'v1.NotebooksApi.updateNotebook': updateNotebook,
  'v1.NotebooksApi.getNotebook': getNotebook,
  'v1.NotebooksApi.listNotebooks': listNotebooks
}
