import { createHash, randomBytes } from 'node:crypto'

/** What is stored of a secret: it has 256 random bits, so a plain hash is enough. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A new secret of this platform; its prefix says what it opens, and redaction knows it. */
export const newSecret = (kind: 'api' | 'ingest' | 'session' | 'setup'): string =>
  `rayne_${kind}_${randomBytes(32).toString('base64url')}`
