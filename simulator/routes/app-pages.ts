import MarkdownIt from 'markdown-it'
import { refuse } from './api-error.ts'
import type { Call, Reply, Route } from './route.ts'

// HTML in a cell stays text: cells hold what senders wrote.
const markdown = new MarkdownIt({ html: false, linkify: false })

/** Pages for people where Datadog's own application would be; they need no keys, like a browser that is logged in. */
export const appPages: readonly Route[] = [
  { method: 'GET', path: '/notebook/:id', op: 'app.notebook', page: true, handle: notebookPage },
  ...[
    '/monitors/:id',
    '/monitors/:id/edit',
    '/logs',
    '/apm/traces',
    '/apm/trace/:id',
    '/apm/services/:name/operations',
    '/dash/integration/:name',
    '/metric/explorer',
    '/databases',
    '/databases/queries',
    '/infrastructure',
    '/event/explorer',
    '/event/event'
  ].map((path): Route => ({ method: 'GET', path, op: 'app.page', page: true, handle: elsewhere }))
]

function notebookPage({ account, params }: Call): Reply {
  const notebook = account.notebooks.get(Number(params['id']))
  if (!notebook)
    throw refuse(
      404,
      'Notebook not found: the simulator forgets its notebooks when it stops; the analysis in Rayne is kept'
    )
  return page(notebook.name, notebook.cells.map(cell => cellOf(cell as StoredCell)).join('\n'))
}

/** Where a link of a notebook leads in real life. */
function elsewhere({ url }: Call): Reply {
  return page(
    'Not simulated',
    `<p>In Datadog, <code>${escape(url)}</code> shows the data behind this link.
    The simulator serves the data by its API only.</p>`
  )
}

interface StoredCell {
  readonly attributes: {
    readonly definition: {
      readonly type: string
      readonly text?: string
      readonly title?: string
      readonly requests?: readonly { readonly q?: string }[]
    }
  }
}

function cellOf({ attributes: { definition } }: StoredCell): string {
  if (definition.type === 'markdown')
    return `<section>${markdown.render(definition.text ?? '')}</section>`
  const queries = (definition.requests ?? []).map(request => request.q ?? '').filter(Boolean)
  const { type, title } = definition
  const shown = `A ${escape(type)} of <code>${escape(queries.join(', '))}</code>`
  return `<section><h3>${escape(title ?? type)}</h3><p>${shown}</p></section>`
}

const escape = (text: string): string =>
  text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

const style = `
body{font:15px/1.5 system-ui;max-width:62rem;margin:0 auto 4rem;padding:0 1rem;color:#1c2b34}
.simulated{background:#ffe9a8;padding:.5rem 1rem;margin:0 -1rem 1rem;font-weight:600}
section{border-bottom:1px solid #dde3e8;padding:.5rem 0;overflow-x:auto}
table{border-collapse:collapse}
td,th{border:1px solid #dde3e8;padding:.2rem .5rem;text-align:left;vertical-align:top}
code{background:#f2f4f6;overflow-wrap:anywhere}`

function page(title: string, body: string): Reply {
  return {
    status: 200,
    type: 'text/html; charset=utf-8',
    text: `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>SIMULATED ${escape(title)}</title><style>${style}</style></head>
<body><p class="simulated">SIMULATED Datadog: nothing here left this machine</p>
<h1>${escape(title)}</h1>${body}</body></html>`
  }
}
