import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync
} from 'node:fs'
import path from 'node:path'
import { errorCode, homeFolder, RayneError, registerSecret } from '../../../core/index.ts'
import { proxyErrors } from './errors.ts'

/** One AES-256 key; the id names it inside an envelope and tells nothing of it. */
export interface SealingKey {
  readonly id: string
  readonly key: Buffer
}

/** The keys of this installation: the first seals, all of them open. */
export interface KeyRing {
  /** The key to seal with, read anew from the file each time, because another process may have rotated it. */
  current(): SealingKey
  /** The key of an envelope; an unknown id makes the ring look at its file again. */
  find(id: string): SealingKey | undefined
  /**
   * Puts a new key first, unless a rotation that was cut short has done so; with RAYNE_SECRET_KEY that key is the new
   * one.
   */
  renew(): SealingKey
  /** Forgets every key of the file but this one. */
  retire(keep: SealingKey): void
}

const version = 'v1'
const derive = (secret: string, purpose: string, length: number): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, 'rayne', purpose, length))

/** A secret of any length as a key (HKDF-SHA256); the same secret gives the same key and id on every machine. */
export function deriveKey(secret: string): SealingKey {
  return { id: derive(secret, 'key id', 6).toString('hex'), key: derive(secret, 'sealing key', 32) }
}

/**
 * `v1.<key id>.<iv>.<ciphertext and tag>`; `place` (table, id and column) is authenticated, so that an envelope opens
 * nowhere else.
 */
export function seal({ id, key }: SealingKey, text: string, place: string): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(place))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return [version, id, iv.toString('base64url'), sealed.toString('base64url')].join('.')
}

/** The text of an envelope; throws `secret-unreadable` when no key has its id, and when it was changed or moved. */
export function unseal(ring: Pick<KeyRing, 'find'>, envelope: string, place: string): string {
  const key = ring.find(keyIdOf(envelope))
  if (!key)
    throw unreadable(
      `no key of this installation has the id ${keyIdOf(envelope)}: is RAYNE_SECRET_KEY ` +
        '(or secret.key in RAYNE_HOME) the one it was sealed with?'
    )
  const [, , iv = '', sealed = ''] = envelope.split('.')
  const bytes = Buffer.from(sealed, 'base64url')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key.key, Buffer.from(iv, 'base64url'), {
      authTagLength: 16
    })
      .setAAD(Buffer.from(place))
      .setAuthTag(bytes.subarray(-16))
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString(
      'utf8'
    )
  } catch {
    throw unreadable(`what is stored at ${place} was changed or belongs elsewhere`)
  }
}

/** The id of the key that sealed an envelope, or an empty text. */
export const keyIdOf = (envelope: string): string =>
  new RegExp(`^${version}\\.([0-9a-f]{12})\\.[\\w-]+\\.[\\w-]+$`).exec(envelope)?.[1] ?? ''

const unreadable = (reason: string): RayneError =>
  new RayneError({
    code: proxyErrors['secret-unreadable'],
    message: `a stored secret cannot be read: ${reason}`
  })

/**
 * A ring from RAYNE_SECRET_KEY and its predecessors, or else from `<home>/secret.key`, which is made when first
 * needed.
 */
export function createKeyRing({
  secret,
  previous,
  home
}: {
  secret: string
  previous: readonly string[]
  home: string
}): KeyRing {
  const folder = homeFolder(home)
  const file = path.join(folder, 'secret.key')
  const known = new Map<string, SealingKey>()
  const learn = (secrets: readonly string[]): SealingKey[] =>
    secrets.map(text => {
      const key = deriveKey(text)
      if (!known.has(key.id)) {
        known.set(key.id, key)
        registerSecret(text)
      }
      return key
    })
  const [own] = learn([secret, ...previous].filter(Boolean))
  const fromEnvironment = secret === '' ? undefined : own
  return {
    current: () => fromEnvironment ?? learn(readSecrets(file) ?? makeFile(folder, file))[0]!,
    find: id => known.get(id) ?? (learn(readSecrets(file) ?? []), known.get(id)),
    renew() {
      if (fromEnvironment) return fromEnvironment
      const secrets = readSecrets(file) ?? makeFile(folder, file)
      // More than one key means that a rotation was cut short: it is finished, not started again.
      if (secrets.length === 1) {
        secrets.unshift(newSecret())
        writeFile(folder, file, secrets)
      }
      return learn(secrets)[0]!
    },
    retire(keep) {
      if (fromEnvironment) return
      const secrets = readSecrets(file) ?? []
      const kept = secrets.filter(text => deriveKey(text).id === keep.id)
      if (kept.length > 0 && kept.length < secrets.length) writeFile(folder, file, kept)
    }
  }
}

const newSecret = (): string => randomBytes(32).toString('base64url')

/** One secret a line, the newest first; undefined without a file. A file that others may read is refused. */
function readSecrets(file: string): string[] | undefined {
  let open: number
  try {
    open = openSync(file, 'r')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw new RayneError({
      code: proxyErrors['secret-unreadable'],
      message:
        `the key file '${file}' cannot be read (${errorCode(error) ?? 'unknown'}): ` +
        'give it to the user Rayne runs as',
      cause: error
    })
  }
  try {
    if (process.platform !== 'win32' && (fstatSync(open).mode & 0o077) !== 0)
      throw new RayneError({
        code: proxyErrors['secret-exposed'],
        message:
          `the key file '${file}' can be read by others, so it is not used: ` +
          `run \`chmod 600 ${file}\`, then \`rayne secrets rotate\``
      })
    const secrets = readFileSync(open, 'utf8')
      .split('\n')
      .map(line => line.trim())
      .filter(Boolean)
    if (secrets.length === 0)
      throw new RayneError({
        code: proxyErrors['secret-unreadable'],
        message:
          `the key file '${file}' is empty: ` +
          'restore it from a backup, or delete it and enter the account keys again'
      })
    return secrets
  } finally {
    closeSync(open)
  }
}

/** Makes the file with one key; of several processes that start at once the first one wins. */
function makeFile(folder: string, file: string): string[] {
  mkdirSync(folder, { recursive: true })
  const draft = writeDraft(file, [newSecret()])
  try {
    linkSync(draft, file)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  syncFolder(folder)
  return readSecrets(file) ?? []
}

function writeFile(folder: string, file: string, secrets: readonly string[]): void {
  renameSync(writeDraft(file, secrets), file)
  syncFolder(folder)
}

function writeDraft(file: string, secrets: readonly string[]): string {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const open = openSync(draft, 'wx', 0o600)
  try {
    writeSync(open, `${secrets.join('\n')}\n`)
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
  return draft
}

/** A key that a crash takes back would take every row sealed with it along. */
function syncFolder(folder: string): void {
  if (process.platform === 'win32') return
  const open = openSync(folder, 'r')
  try {
    fsyncSync(open)
  } finally {
    closeSync(open)
  }
}
