// Shows /openapi.json as a page. Texts become text nodes, so nothing in the description can be markup.

/** An element with attributes and children; what is undefined or false is left out. */
function make(name, attributes, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes ?? {}))
    if (value !== undefined && value !== false) element.setAttribute(key, value)
  for (const child of children.flat(3))
    if (child !== undefined && child !== false) element.append(child)
  return element
}

/** The little of Markdown the description uses: paragraphs, tables and `code`. */
function prose(text) {
  return text.split(/\n{2,}/).map(block => {
    if (!block.startsWith('|')) return make('p', {}, inline(block))
    const [head, , ...rows] = block.split('\n').map(line => line.split('|').slice(1, -1))
    const cells = (row, kind) =>
      make(
        'tr',
        {},
        row.map(cell => make(kind, {}, inline(cell.trim())))
      )
    return make(
      'table',
      {},
      cells(head, 'th'),
      rows.map(row => cells(row, 'td'))
    )
  })
}

const inline = text => text.split('`').map((part, at) => (at % 2 ? make('code', {}, part) : part))

const last = pointer => pointer.split('/').at(-1)

/** A schema in a few words: `string (date-time), 1 to 100 characters`. */
function words(schema) {
  if (schema.$ref) return last(schema.$ref)
  if ('const' in schema) return JSON.stringify(schema.const)
  if (schema.enum) return schema.enum.map(one => JSON.stringify(one)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (choices) return choices.map(words).join(' | ')
  if (schema.type === 'array') return `list of ${words(schema.items ?? {})}`
  const kind = [schema.type ?? 'anything'].flat().join(' | ')
  return [
    schema.format ? `${kind} (${schema.format})` : kind,
    ...bounds(schema),
    schema.pattern && `like ${schema.pattern}`,
    'default' in schema && `default ${JSON.stringify(schema.default)}`
  ]
    .filter(Boolean)
    .join(', ')
}

function bounds({ minimum, maximum, minLength, maxLength }) {
  const range = (from, to, unit) => {
    if (from === undefined && to === undefined) return []
    if (to === undefined) return [`${from}${unit} or more`]
    return [from === undefined ? `at most ${to}${unit}` : `${from} to ${to}${unit}`]
  }
  return [...range(minimum, maximum, ''), ...range(minLength, maxLength, ' characters')]
}

/** The fields of an object as a list, each with its own below it. */
function fields(schema, document) {
  const found = schema.$ref ? document.components.schemas[last(schema.$ref)] : schema
  const inner = found?.type === 'array' ? found.items : found
  if (inner?.$ref && inner !== schema) return fields(inner, document)
  const choices = inner?.anyOf ?? inner?.oneOf ?? inner?.allOf
  if (choices) return choices.map(one => fields(one, document))
  const properties = Object.entries(inner?.properties ?? {})
  if (properties.length === 0) return []
  const required = new Set(inner.required)
  return make(
    'ul',
    {},
    properties.map(([name, one]) =>
      make(
        'li',
        {},
        make('code', {}, name),
        required.has(name) ? ' ' : '? ',
        words(one),
        one.description && [': ', ...inline(one.description)],
        fields(one, document)
      )
    )
  )
}

function content(title, described, document) {
  return Object.entries(described.content ?? { '': {} }).map(([type, { schema = {} }]) =>
    make(
      'div',
      {},
      make('h4', {}, title),
      make('p', {}, inline(described.description ?? ''), type && ` ${type}: ${words(schema)}`),
      fields(schema, document)
    )
  )
}

function parameters(list) {
  return [
    make('h4', {}, 'Parameters'),
    make(
      'ul',
      {},
      list.map(({ name, in: where, required, schema = {}, description }) =>
        make(
          'li',
          {},
          make('code', {}, name),
          ` in the ${where}${required ? '' : ', optional'}: ${words(schema)}`,
          description && ['. ', ...inline(description)]
        )
      )
    )
  ]
}

/** A command that can be pasted, for the caller of a protected server. */
function curl(method, path, operation) {
  const open = operation['x-auth'] === 'public'
  const type = Object.keys(operation.requestBody?.content ?? {})[0]
  return [
    `curl -s${method === 'GET' ? '' : `X ${method}`} '${location.origin}${path}'`,
    !open && "-H 'authorization: Bearer <token>'",
    type && `-H 'content-type: ${type}' -d @body`
  ]
    .filter(Boolean)
    .join(' ')
}

function details(method, path, one, document) {
  return make(
    'details',
    {
      id: one.operationId,
      'data-words': `${method} ${path} ${one.summary} ${one.tags}`.toLowerCase()
    },
    make(
      'summary',
      {},
      make('b', { class: method }, method),
      ' ',
      make('code', {}, path),
      ' ',
      one.summary
    ),
    make(
      'p',
      {},
      `Access: ${one['x-auth'] ?? 'not said'}. `,
      make('a', { href: `#${one.operationId}` }, 'link')
    ),
    one.description && prose(one.description),
    make('pre', {}, curl(method, path, one)),
    one.parameters && parameters(one.parameters),
    one.requestBody && content('Body', one.requestBody, document),
    Object.entries(one.responses).map(([status, answer]) =>
      content(`Answer ${status}`, answer, document)
    )
  )
}

/** The whole page from the description; operations stand under who registered them. */
function page(document) {
  const all = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, one]) => ({ method: method.toUpperCase(), path, one }))
  )
  const tags = [...new Set(all.map(({ one }) => one.tags?.[0] ?? 'other'))].sort()
  const search = make('input', {
    type: 'search',
    'aria-label': 'Search',
    placeholder: `search ${all.length} operations`
  })
  const sections = tags.map(tag =>
    make(
      'section',
      {},
      make('h2', {}, tag),
      all
        .filter(({ one }) => (one.tags?.[0] ?? 'other') === tag)
        .map(({ method, path, one }) => details(method, path, one, document))
    )
  )
  search.addEventListener('input', () => filter(sections, search.value.toLowerCase()))
  return [
    make('h1', {}, `${document.info.title} ${document.info.version}`),
    search,
    ...sections,
    make(
      'details',
      { id: 'about' },
      make('summary', {}, 'About, and what errors mean'),
      prose(document.info.description ?? '')
    )
  ]
}

function filter(sections, wanted) {
  for (const section of sections) {
    const operations = [...section.querySelectorAll('details')]
    for (const one of operations)
      one.toggleAttribute('hidden', !one.getAttribute('data-words').includes(wanted))
    section.toggleAttribute(
      'hidden',
      operations.every(one => one.hasAttribute('hidden'))
    )
  }
}

/** Opens the operation the address names, so that a link to it can be sent. */
function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)))
  named?.setAttribute('open', '')
  named?.scrollIntoView?.()
}

async function show() {
  const place = document.getElementById('docs')
  try {
    const answer = await fetch('/openapi.json')
    if (!answer.ok) throw new Error(`it answers ${answer.status}`)
    place.replaceChildren(...page(await answer.json()))
    openNamed()
  } catch (error) {
    place.replaceChildren(
      make('p', { role: 'alert' }, `/openapi.json cannot be read: ${error.message}`)
    )
  }
}

addEventListener('hashchange', openNamed)
void show()
