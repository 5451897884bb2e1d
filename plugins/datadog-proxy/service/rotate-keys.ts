import { RayneError, type Knex } from '../../../core/index.ts'
import { keyIdOf, seal, unseal, type KeyRing, type SealingKey } from './seal.ts'
import { accountStore, placeOf, type AccountRow, type SealedColumn } from '../store.ts'
import { proxyErrors } from './errors.ts'

const batch = 100

/**
 * Seals every stored key anew: a new key first, then the rows in batches, the old keys dropped last. Readers go on,
 * because old and new keys are both there until the end; a run that is cut short is finished by the next one.
 */
export function createRotation({
  db,
  ring,
  onRotated
}: {
  db: Knex
  ring: KeyRing
  onRotated?: () => void
}) {
  const locked = <T>(run: (trx: Knex.Transaction) => Promise<T>): Promise<T> =>
    db.transaction(async trx => {
      await accountStore.lockWrites(trx)
      return run(trx)
    })

  async function resealAll(key: SealingKey): Promise<number> {
    for (let done = 0; ;) {
      const rows = await locked(async trx => {
        const found = await accountStore.sealedOtherwise(trx, key.id, batch)
        for (const row of found) await accountStore.reseal(trx, row.id, resealed(ring, key, row))
        return found.length
      })
      done += rows
      if (rows < batch) return done
    }
  }

  return async (): Promise<{ resealed: number }> =>
    db.transaction(async trx => {
      if (!(await accountStore.lockRotation(trx)))
        throw new RayneError({
          code: proxyErrors['rotation-running'],
          message: 'another process rotates the keys just now: wait until it is done'
        })
      const key = ring.renew()
      // Writers take their key under the same lock: whoever read the ring before it was renewed has committed by now.
      await locked(() => Promise.resolve())
      const count = await resealAll(key)
      await locked(async check => {
        const [left] = await accountStore.sealedOtherwise(check, key.id, 1)
        if (left)
          throw new RayneError({
            code: proxyErrors['rotation-incomplete'],
            message:
              `the account '${left.name}' is still sealed with the old key, which ` +
              'is kept: run `rayne secrets rotate` again'
          })
        ring.retire(key)
      })
      onRotated?.()
      return { resealed: count }
    })
}

function resealed(
  ring: KeyRing,
  key: SealingKey,
  row: AccountRow
): Pick<AccountRow, 'apiKeySealed' | 'appKeySealed'> {
  const anew = (envelope: string, column: SealedColumn): string =>
    keyIdOf(envelope) === key.id
      ? envelope
      : seal(key, unseal(ring, envelope, placeOf(row.id, column)), placeOf(row.id, column))
  return {
    apiKeySealed: anew(row.apiKeySealed, 'api_key'),
    appKeySealed: anew(row.appKeySealed, 'app_key')
  }
}
