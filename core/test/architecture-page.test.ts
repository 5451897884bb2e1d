import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8')

/** The paths of the map: folders end with a slash. */
const mapped = (text: string): string[] =>
  (/^```\n([^]*?)^```$/m.exec(text)?.[1] ?? '')
    .split('\n')
    .flatMap(line => /^(\S+)\s+\S/.exec(line)?.[1] ?? [])

/** Top folders of the tree, and what stands in those whose content the map shows. */
function tree(): string[] {
  const shown = ['core', 'plugins', 'simulator', 'examples']
  const inside = (folder: string): string[] =>
    readdirSync(path.join(root, folder), { withFileTypes: true })
      .filter(entry => entry.name !== 'test' && !entry.name.endsWith('.md'))
      .filter(entry => folder === 'core' || entry.isDirectory())
      .map(entry => `${folder}/${entry.name}${entry.isDirectory() ? '/' : ''}`)
  const top = readdirSync(root, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !/^\.|^node_modules$/.test(entry.name))
    .map(entry => entry.name)
  return [...top.map(name => `${name}/`), ...shown.flatMap(inside)].sort()
}

describe('ARCHITECTURE.md', () => {
  test('maps the tree as it is', () => {
    const paths = mapped(page)
    assert.ok(paths.length >= 40, `${paths.length} paths in the map`)
    assert.deepEqual(paths.toSorted(), tree())
  })

  test('follows an alert through files that exist', () => {
    const story = page.slice(page.indexOf('## One alert'), page.indexOf('## The rules'))
    const named = [...story.matchAll(/`([\w./-]+\.ts)`/g)].map(match => match[1] ?? '')
    assert.ok(named.length >= 12, `${named.length} files named`)
    const folders = ['', 'plugins/webhooks', 'plugins/rca', 'plugins/rca/service']
    const missing = named.filter(
      file => !folders.some(folder => existsSync(path.join(root, folder, file)))
    )
    assert.deepEqual(missing, [])
  })
})
