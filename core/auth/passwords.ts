import crypto, { randomBytes, timingSafeEqual, type Argon2Parameters } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { RayneError } from '../errors.ts'

const hashArgon2 = (algorithm: 'argon2id', parameters: Argon2Parameters): Promise<Buffer> =>
  promisify(crypto.argon2)(algorithm, parameters)
// OWASP's minimum for argon2id; 19 MiB and a core for each, so that few run at once and leave cores to others.
const cost = { memory: 19_456, passes: 2, parallelism: 1 } as const
const atOnce = availableParallelism() > 3 ? 2 : 1
let running = 0
const waiting: (() => void)[] = []

async function derive(
  password: string,
  salt: Buffer,
  memory: number,
  passes: number,
  parallelism: number
): Promise<Buffer> {
  if (waiting.length >= 32)
    throw new RayneError({
      code: 'too-many-logins',
      message: 'too many logins at once; try again',
      details: {
        retryAfterSeconds: 2
      }
    })
  if (running >= atOnce) await new Promise<void>(resolve => waiting.push(resolve))
  running += 1
  try {
    return await hashArgon2('argon2id', {
      message: password,
      nonce: salt,
      memory,
      passes,
      parallelism,
      tagLength: 32
    })
  } finally {
    running -= 1
    waiting.shift()?.()
  }
}

/** A PHC string (`$argon2id$v=19$m=…,t=…,p=…$salt$hash`) of a new password. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password, salt, cost.memory, cost.passes, cost.parallelism)
  const { memory, passes, parallelism } = cost
  const parts = [salt, hash].map(bytes => bytes.toString('base64url')).join('$')
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${parts}`
}

/** Whether a password belongs to a PHC string; takes the same time for an unknown user (undefined). */
export async function checkPassword(password: string, phc: string | undefined): Promise<boolean> {
  const [, m, t, p, salt, hash] =
    /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/.exec(phc ?? '') ?? [
      undefined,
      cost.memory,
      cost.passes,
      cost.parallelism,
      'AAAAAAAAAAAAAAAAAAAAAA',
      undefined
    ]
  const derived = await derive(
    password,
    Buffer.from(String(salt), 'base64url'),
    Number(m),
    Number(t),
    Number(p)
  )
  const expected = Buffer.from(hash ?? '', 'base64url')
  return expected.length === derived.length && timingSafeEqual(expected, derived)
}
