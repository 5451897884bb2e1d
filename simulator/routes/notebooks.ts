import type { StoredNotebook } from '../world/accounts.ts'
import { refuse } from './api-error.ts'
import { hash, mix } from '../world/random.ts'
import { buckets } from '../control/rate-limits.ts'
import { ok, type Call, type Route } from './route.ts'

const read = buckets.notebooksRead
const write = buckets.notebooksWrite
export const notebookRoutes: readonly Route[] = [
  {
    method: 'POST',
    path: '/api/v1/notebooks',
    op: 'v1.NotebooksApi.createNotebook',
    bucket: write,
    scope: 'notebooks_write',
    handle: create
  },
  {
    method: 'GET',
    path: '/api/v1/notebooks',
    op: 'v1.NotebooksApi.listNotebooks',
    bucket: read,
    scope: 'notebooks_read',
    handle: list
  },
  {
    method: 'GET',
    path: '/api/v1/notebooks/:id',
    op: 'v1.NotebooksApi.getNotebook',
    bucket: read,
    scope: 'notebooks_read',
    handle: call => ok({ data: resource(find(call)) })
  },
  {
    method: 'PUT',
    path: '/api/v1/notebooks/:id',
    op: 'v1.NotebooksApi.updateNotebook',
    bucket: write,
    scope: 'notebooks_write',
    handle: update
  },
  {
    method: 'DELETE',
    path: '/api/v1/notebooks/:id',
    op: 'v1.NotebooksApi.deleteNotebook',
    bucket: write,
    scope: 'notebooks_write',
    handle: call => {
      call.account.notebooks.delete(find(call).id)
      return { status: 204, type: null }
    }
  }
]

const FIRST_ID = 2_466_032

function create(call: Call) {
  const content = readContent(call)
  const id = FIRST_ID + ++call.account.writes
  const notebook = { id, ...content, created: call.now, modified: call.now }
  call.account.notebooks.set(id, notebook)
  return ok({ data: resource(notebook) })
}

function update(call: Call) {
  const notebook = find(call)
  call.account.writes++
  Object.assign(notebook, readContent(call), { modified: Math.max(call.now, notebook.modified) })
  return ok({ data: resource(notebook) })
}

function find({ account, params }: Call): StoredNotebook {
  const notebook = /^\d+$/.test(params['id'] ?? '')
    ? account.notebooks.get(Number(params['id']))
    : undefined
  if (!notebook) throw refuse(404, 'Notebook not found')
  return notebook
}

function list({ account, query }: Call) {
  const start = Math.max(0, Number(query.get('start') ?? 0) || 0)
  const count = Math.max(0, Number(query.get('count') ?? 100))
  const text = (query.get('query') ?? '').toLowerCase()
  const type = query.get('type')
  const field = query.get('sort_field') ?? 'modified'
  if (!['modified', 'name', 'created'].includes(field)) throw refuse(400, 'Invalid sort_field')
  const direction = query.get('sort_dir') === 'asc' ? 1 : -1
  const all = [...account.notebooks.values()]
  const found = all
    .filter(
      n => n.name.toLowerCase().includes(text) && (type === null || n.metadata['type'] === type)
    )
    .toSorted(
      (a, b) =>
        direction *
        (field === 'name'
          ? a.name.localeCompare(b.name)
          : field === 'created'
            ? a.created - b.created || a.id - b.id
            : a.modified - b.modified || a.id - b.id)
    )
  const data = found
    .slice(start, start + count)
    .map(n => resource(n, query.get('include_cells') !== 'false'))
  return ok({
    meta: { page: { total_filtered_count: found.length, total_count: all.length } },
    data
  })
}

type Content = Pick<
  StoredNotebook,
  'name' | 'cells' | 'time' | 'metadata' | 'template_variables' | 'status'
>
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Checks a write; the name limit of 80 characters is Datadog's. */
function readContent(call: Call): Content {
  const data = isRecord(call.body) && isRecord(call.body['data']) ? call.body['data'] : undefined
  const given = data && isRecord(data['attributes']) ? data['attributes'] : undefined
  if (!data || data['type'] !== 'notebooks' || !given)
    throw refuse(
      400,
      "Invalid request: 'data' must be an object of type 'notebooks' with attributes"
    )
  const { name, cells, time, metadata, template_variables: variables, status } = given
  if (typeof name !== 'string' || name.length > 80)
    throw refuse(400, "Invalid value for 'name': it must be a string of at most 80 characters")
  if (
    !Array.isArray(cells) ||
    !cells.every(
      cell =>
        isRecord(cell) &&
        cell['type'] === 'notebook_cells' &&
        isRecord(cell['attributes']) &&
        isRecord(cell['attributes']['definition'])
    )
  )
    throw refuse(
      400,
      "Invalid value for 'cells': each must be of type 'notebook_cells' with attributes.definition"
    )
  if (
    !isRecord(time) ||
    !(
      typeof time['live_span'] === 'string' ||
      (typeof time['start'] === 'string' && typeof time['end'] === 'string')
    )
  )
    throw refuse(400, "Invalid value for 'time': it needs live_span, or start and end")
  return {
    name,
    time,
    cells: cells.map((cell, i) => stored(cell as Record<string, unknown>, call, i)),
    template_variables: variables ?? [],
    status: typeof status === 'string' ? status : 'published',
    metadata: {
      is_favorite: false,
      is_template: false,
      type: null,
      take_snapshots: false,
      ...(isRecord(metadata) ? metadata : {})
    }
  }
}

/** A cell as it is kept: every write gives it a new id, and widgets get their defaults. */
function stored(cell: Record<string, unknown>, { account }: Call, index: number): object {
  const attributes = cell['attributes'] as Record<string, unknown>
  const isText = (attributes['definition'] as Record<string, unknown>)['type'] === 'markdown'
  const defaults = isText ? {} : { graph_size: 'm', split_by: { keys: [], tags: [] }, time: null }
  return {
    attributes: { ...defaults, ...attributes },
    type: 'notebook_cells',
    id: cellId(hash(account.world.seed, account.writes, index))
  }
}

const cellId = (seed: number): string =>
  Array.from({ length: 8 }, (_, i) => (mix(seed, i) % 36).toString(36)).join('')
const iso = (at: number): string => new Date(at).toISOString().replace('Z', '000+00:00')
const author = {
  name: null,
  handle: 'sre@example.com',
  email: 'sre@example.com',
  icon: 'https://secure.gravatar.com/avatar/00000000000000000000000000000000?s=48&d=retro',
  title: null,
  verified: true,
  disabled: false,
  status: 'Active'
}

function resource(notebook: StoredNotebook, withCells = true): object {
  const { id, name, cells, time, metadata, template_variables, status, created, modified } =
    notebook
  return {
    type: 'notebooks',
    id,
    attributes: {
      name,
      ...(withCells ? { cells } : {}),
      time,
      metadata,
      template_variables,
      status,
      modified: iso(modified),
      created: iso(created),
      author
    }
  }
}
