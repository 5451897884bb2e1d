import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { runInNewContext } from 'node:vm'
import { parseHTML } from 'linkedom'
import { definePlugin, Type } from '../index.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'
import { eventually } from './eventually.ts'

/** What the test uses of a document; the DOM is not among the types of the project. */
interface Found {
  readonly id: string
  readonly textContent: string | null
  value: string
  getAttribute(name: string): string | null
  hasAttribute(name: string): boolean
  dispatchEvent(event: Event): boolean
}
interface PageDocument {
  querySelector(selector: string): Found | null
  querySelectorAll(selector: string): Iterable<Found> & { readonly length: number }
  getElementById(id: string): Found | null
  readonly defaultView: { readonly Event: typeof Event }
}

interface Page {
  readonly document: PageDocument
  /** Fires what the page listens for on its window. */
  fire(event: string): void
  readonly location: { readonly origin: string; hash: string }
}

/** The page as a browser has it after its script ran: the script is fetched and run in a document of its own. */
async function openPage(url: string, hash = ''): Promise<Page> {
  const text = async (path: string): Promise<string> => (await fetch(`${url}${path}`)).text()
  const { document } = parseHTML(await text('/docs')) as { document: PageDocument }
  const listeners = new Map<string, () => void>()
  const location = { origin: url, hash }
  const script = document.querySelector('script')?.getAttribute('src') ?? ''
  runInNewContext(await text(script), {
    document,
    location,
    fetch: (path: string) => fetch(`${url}${path}`),
    addEventListener: (name: string, run: () => void) => listeners.set(name, run)
  })
  await eventually('the page', () => !document.querySelector('[role=status]'))
  return { document, location, fire: event => listeners.get(event)?.() }
}

const operations = ({ document }: Page): Found[] => [
  ...document.querySelectorAll('section details')
]
const textOf = (page: Page, id: string): string =>
  (page.document.getElementById(id)?.textContent ?? '').replace(/\s+/g, ' ')

const planted = definePlugin({
  id: 'planted',
  version: '1.0.0',
  register(app) {
    app.route({
      method: 'POST',
      path: '/{name}',
      summary: 'Make <b>one</b> & keep it',
      auth: 'user',
      params: Type.Object({ name: Type.String({ maxLength: 5 }) }),
      query: Type.Object({
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, default: 3 }))
      }),
      body: Type.Object({
        size: Type.Union([Type.Literal('s'), Type.Literal('l')]),
        parts: Type.Array(
          Type.Object({ weight: Type.Number({ description: 'in grams, `0` for none' }) })
        )
      }),
      response: Type.Object({ id: Type.String({ format: 'uuid' }) }),
      status: 201,
      handle: () => ({ id: '' })
    })
  }
})

const start = async (t: TestContext): Promise<string> =>
  (await createTestApp(t, { plugins: [planted] })).url

describe('the page of the API', () => {
  test('loads nothing from elsewhere, and no script may stand in it', async t => {
    const url = await start(t)
    for (const path of ['/docs', '/setup']) {
      const answer = await fetch(`${url}${path}`)
      assert.equal(answer.status, 200)
      assert.match(
        answer.headers.get('content-security-policy') ?? '',
        /^default-src 'none'; script-src 'self'; style-src 'self'; [^*]*$/
      )
      const text = await answer.text()
      assert.doesNotMatch(text, /<script[^>]*>[^<]|<style| style=| on\w+=/)
      const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file = '']) => file)
      assert.deepEqual(files.toSorted(), [`${path}/start.js`, `${path}/style.css`])
      for (const file of files) {
        const { status, headers } = await fetch(`${url}${file}`)
        assert.equal(status, 200, file)
        assert.match(headers.get('content-type') ?? '', /javascript|css/, file)
      }
    }
    for (const path of ['/docs/docs.js', '/docs/..%2fsetup.js', '/docs/%2e%2e', '/setup/docs.js'])
      assert.equal((await fetch(`${url}${path}`)).status, 404, path)
  })

  test('shows every operation of every plugin', async t => {
    const app = await createTestApp(t, { plugins: await loadPlugins(builtInPlugins()) })
    const page = await openPage(app.url)
    const { paths } = (await (await fetch(`${app.url}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { operationId: string; summary: string }>>
    }
    const described = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, one]) => [method.toUpperCase(), path, one] as const)
    )
    assert.ok(described.length > 60)
    assert.equal(operations(page).length, described.length)
    for (const [method, path, { operationId, summary }] of described)
      assert.ok(textOf(page, operationId).startsWith(`${method} ${path} ${summary}`), operationId)
    assert.match(textOf(page, 'about'), /invalid-input ?400 ?A field is missing or wrong/)
  })

  test('says what an operation takes and answers, and shows markup as text', async t => {
    const page = await openPage(await start(t))
    const said = textOf(page, 'planted.post_v1_planted_name_')
    for (const part of [
      'POST /v1/planted/{name} Make <b>one</b> & keep it',
      'Access: user.',
      'name in the path: string, at most 5 characters',
      'limit in the query, optional: integer, 1 to 9, default 3',
      'size "s" | "l"',
      'parts list of object',
      'weight number: in grams, 0 for none',
      'Answer 201',
      'id string (uuid)',
      "curl -sX POST 'http://",
      "-H 'authorization: Bearer <token>' -H 'content-type: application/json' -d @body"
    ])
      assert.ok(said.includes(part), `${part} is not in ${said}`)
    assert.equal(page.document.querySelectorAll('summary b').length, operations(page).length)
  })

  test('opens what its address names, and finds by words', async t => {
    const url = await start(t)
    const page = await openPage(url, '#core.get_healthz')
    const isOpen = (id: string): boolean =>
      page.document.getElementById(id)?.hasAttribute('open') ?? false
    assert.deepEqual([isOpen('core.get_healthz'), isOpen('core.get_readyz')], [true, false])
    page.location.hash = '#core.get_readyz'
    page.fire('hashchange')
    assert.ok(isOpen('core.get_readyz'))
    const search = page.document.querySelector('input')
    assert.ok(search)
    search.value = 'PLANTED'
    search.dispatchEvent(new page.document.defaultView.Event('input'))
    const shown = operations(page).filter(one => !one.hasAttribute('hidden'))
    assert.deepEqual(
      shown.map(one => one.id),
      ['planted.post_v1_planted_name_']
    )
  })

  test('says that the description cannot be read', async t => {
    const url = await start(t)
    const { document } = parseHTML(await (await fetch(`${url}/docs`)).text())
    runInNewContext(await (await fetch(`${url}/docs/start.js`)).text(), {
      document,
      location: { origin: url, hash: '' },
      fetch: () => Promise.resolve(new Response('', { status: 503 })),
      addEventListener: () => {}
    })
    await eventually('the sentence', () =>
      document.querySelector('[role=alert]')?.textContent?.includes('it answers 503')
    )
  })
})
