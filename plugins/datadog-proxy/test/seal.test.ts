import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import fc from 'fast-check'
import type { RayneError } from '../../../core/index.ts'
import { createKeyRing, deriveKey, keyIdOf, seal, unseal } from '../service/seal.ts'

const secret = 'a secret of more than thirty-two characters'
const ringOf = (...secrets: string[]) => {
  const keys = secrets.map(deriveKey)
  return { find: (id: string) => keys.find(key => key.id === id) }
}
const place = 'datadog_proxy_accounts:7:api_key'

function home(t: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'rayne-ring-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const fileRing = (folder: string) => createKeyRing({ secret: '', previous: [], home: folder })
const modeOf = (file: string): number => statSync(file).mode & 0o777

describe('an envelope', () => {
  test('opens with its key at its place, whatever the text (property)', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), (text, where) => {
        const sealed = seal(deriveKey(secret), text, where)
        return (
          unseal(ringOf(secret), sealed, where) === text && keyIdOf(sealed) === deriveKey(secret).id
        )
      }),
      { numRuns: 200 }
    )
  })

  test('never looks the same twice and holds neither the text nor the secret', () => {
    const sealed = Array.from({ length: 20 }, () => seal(deriveKey(secret), 'planted', place))
    assert.equal(new Set(sealed).size, 20)
    for (const one of sealed) assert.match(one, /^v1\.[0-9a-f]{12}\.[\w-]{16}\.[\w-]+$/)
    assert.ok(
      !sealed.join('').includes('planted') &&
        !sealed.join('').includes(deriveKey(secret).key.toString('base64url'))
    )
  })

  test('does not open elsewhere, changed in any character, cut, or with another key', () => {
    const sealed = seal(deriveKey(secret), 'planted', place)
    for (const other of [
      'datadog_proxy_accounts:8:api_key',
      'datadog_proxy_accounts:7:app_key',
      ''
    ])
      assert.throws(
        () => unseal(ringOf(secret), sealed, other),
        /was changed or belongs elsewhere/,
        other
      )
    for (let at = 0; at < sealed.length - 1; at++) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
      assert.throws(
        () => unseal(ringOf(secret), changed, place),
        (error: RayneError) =>
          error.code === 'secret-unreadable' && !error.message.includes('planted'),
        `character ${at}`
      )
    }
    for (const broken of [sealed.slice(0, -4), '', 'v1', 'planted', `v2${sealed.slice(2)}`])
      assert.throws(() => unseal(ringOf(secret), broken, place), /cannot be read/)
    assert.throws(
      () => unseal(ringOf('another secret of many characters'), sealed, place),
      /no key of this installation has the id [0-9a-f]{12}: is RAYNE_SECRET_KEY/
    )
  })
})

describe('the key ring', () => {
  test('of RAYNE_SECRET_KEY seals with it, opens what its predecessors sealed, and needs no file', t => {
    const folder = home(t)
    const old = createKeyRing({
      secret: 'the old secret of many characters',
      previous: [],
      home: folder
    })
    const sealed = seal(old.current(), 'planted', place)
    const ring = createKeyRing({
      secret,
      previous: ['', 'the old secret of many characters'],
      home: folder
    })
    assert.equal(unseal(ring, sealed, place), 'planted')
    assert.deepEqual(
      [
        ring.current().id,
        ring.renew().id,
        createKeyRing({ secret, previous: [], home: folder }).current().id
      ],
      Array.from({ length: 3 }, () => deriveKey(secret).id)
    )
    assert.equal(existsSync(path.join(folder, 'secret.key')), false)
  })

  test('makes a file of mode 0600 when first needed, the same for all who start at once', t => {
    const folder = path.join(home(t), 'deep', 'er')
    const rings = Array.from({ length: 5 }, () => fileRing(folder))
    assert.equal(existsSync(folder), false)
    assert.equal(new Set(rings.map(ring => ring.current().id)).size, 1)
    assert.equal(modeOf(path.join(folder, 'secret.key')), 0o600)
    assert.match(readFileSync(path.join(folder, 'secret.key'), 'utf8'), /^[\w-]{43}\n$/)
  })

  test(
    'refuses a file that others may read, and an empty one, with a sentence',
    { skip: process.platform === 'win32' },
    t => {
      const folder = home(t)
      const file = path.join(folder, 'secret.key')
      fileRing(folder).current()
      for (const mode of [0o644, 0o640, 0o604, 0o660]) {
        chmodSync(file, mode)
        assert.throws(
          () => fileRing(folder).current(),
          /secret\.key' can be read by others, so it is not used: run `chmod 600 .*secret\.key`, then `rayne secrets rotate`/
        )
      }
      chmodSync(file, 0o600)
      writeFileSync(file, '\n')
      assert.throws(() => fileRing(folder).current(), /is empty: restore it from a backup/)
    }
  )

  test('renews with the old key kept, goes on after a crash, and retires the old one', t => {
    const folder = home(t)
    const ring = fileRing(folder)
    const old = ring.current()
    const fresh = ring.renew()
    assert.notEqual(fresh.id, old.id)
    assert.deepEqual(
      [ring.current().id, fileRing(folder).current().id, fileRing(folder).find(old.id)?.id],
      [fresh.id, fresh.id, old.id]
    )
    assert.equal(
      fileRing(folder).renew().id,
      fresh.id,
      'a rotation that was cut short is finished, not started again'
    )
    ring.retire(fresh)
    ring.retire(fresh)
    assert.equal(fileRing(folder).find(old.id), undefined)
    assert.equal(ring.find(old.id)?.id, old.id, 'a reader that holds old rows still opens them')
    assert.equal(modeOf(path.join(folder, 'secret.key')), 0o600)
  })

  test('sees a key that another process put first', t => {
    const folder = home(t)
    const [here, there] = [fileRing(folder), fileRing(folder)]
    here.current()
    const sealed = seal(there.renew(), 'planted', place)
    assert.equal(unseal(here, sealed, place), 'planted')
    assert.equal(here.current().id, keyIdOf(sealed))
  })
})
