import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { createTestApp } from '../testing.ts'
import { filesBelow } from './source-files.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface Mention {
  readonly where: string
  readonly method: string
  readonly path: string
}

/** The files whose words speak of routes of ours; the simulator's and the client's speak of Datadog's. */
const spoken = (): string[] =>
  [
    ...readdirSync(root).filter(name => name.endsWith('.md')),
    ...['core', 'plugins', 'tools', 'examples', 'bench', 'assets'].flatMap(folder =>
      filesBelow(root, folder)
    )
  ].filter(
    file =>
      /\.(?:ts|js|mjs|html|md|py|go)$/.test(file) &&
      !/(?:^|\/)test\//.test(file) &&
      !file.startsWith('plugins/datadog-proxy/service/client/')
  )

/** Every `GET /…` and its like in a text; what is computed or a parameter becomes `{}`. */
function mentionsIn(where: string, text: string): Mention[] {
  const named = /\b(GET|POST|PUT|PATCH|DELETE) (\/(?:[\w/.*-]|\$\{[^}]*\}|\{\w+\})*)/g
  return [...text.matchAll(named)].map(([, method = '', found = '']) => ({
    where,
    method,
    path: found
      .replace(/\$?\{[^}]*\}/g, '{}')
      .replace(/\/$/, '/{}')
      .replace(/[.*]+$/, '')
  }))
}

/** The mentions for which no route answers. */
function wrong(
  mentions: readonly Mention[],
  routes: readonly { readonly method: string; readonly path: string }[]
): string[] {
  const answers = ({ method, path: said }: Mention): boolean => {
    const parts = said.split('/')
    return routes.some(route => {
      const own = route.path.split('/')
      return (
        route.method === method &&
        own.length === parts.length &&
        own.every((part, at) => part === parts[at] || (part.startsWith('{') && parts[at] !== ''))
      )
    })
  }
  return mentions
    .filter(one => !answers(one))
    .map(({ where, method, path: said }) => `${where}: ${method} ${said}`)
}

describe('every route that a sentence names', () => {
  test('is there', async t => {
    const app = await createTestApp(t, { plugins: await loadPlugins(builtInPlugins()) })
    const mentions = spoken().flatMap(file => {
      const name = path.join(root, file)
      return mentionsIn(file, readFileSync(name, 'utf8'))
    })
    assert.ok(mentions.length >= 50, `${mentions.length} routes are named`)
    assert.ok(new Set(mentions.map(one => one.where)).size >= 20)
    assert.deepEqual(wrong(mentions, app.router.operations), [])
  })

  test('is missed when it is not', () => {
    const text = `see GET /v1/things?state=new, POST /v1/things/\${id}/retry and GET /v1/things/{id}.`
    const mentions = mentionsIn('a.ts', text)
    const routes = [
      { method: 'GET', path: '/v1/things' },
      { method: 'GET', path: '/v1/things/{name}' }
    ]
    assert.deepEqual(wrong(mentions, routes), ['a.ts: POST /v1/things/{}/retry'])
    assert.equal(mentions.length, 3)
  })
})
