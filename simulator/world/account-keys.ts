import { randomBytes } from 'node:crypto'
import { hash, hex } from './random.ts'

/** What a client sends with every request. */
export interface AccountKeys {
  readonly apiKey: string
  readonly appKey: string
}

/** Gives an account its keys, the same ones as long as the simulator runs: random, unless a seed fixes them. */
export function createAccountKeys(seed: number | undefined): (account: string) => AccountKeys {
  const known = new Map<string, AccountKeys>()
  return account => {
    const found = known.get(account)
    if (found) return found
    const made = seed === undefined ? randomKeys() : seededKeys(hash(seed, 'keys', account))
    known.set(account, made)
    return made
  }
}

const randomKeys = (): AccountKeys => ({
  apiKey: randomBytes(16).toString('hex'),
  appKey: randomBytes(20).toString('hex')
})

const seededKeys = (seed: number): AccountKeys => ({
  apiKey: hex(seed, 32),
  appKey: hex(seed ^ 0x5bd1e995, 40)
})
