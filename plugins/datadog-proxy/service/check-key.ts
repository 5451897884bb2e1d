import { RayneError } from '../../../core/index.ts'
import { proxyErrors } from './errors.ts'

/** A key as it can travel in a header, or a 400: anything outside printable ASCII is a pasting accident. */
export function checkedKey(key: string, what: string): string {
  const trimmed = key.trim()
  if (!/^[\x21-\x7e]+$/.test(trimmed))
    throw new RayneError({
      code: proxyErrors['datadog-key-refused'],
      message: `the ${what} is empty or has characters no key has`,
      details: {
        errors: [
          {
            pointer: what === 'application key' ? '/body/app_key' : '/body/api_key',
            message: 'is empty or has characters no key has'
          }
        ]
      }
    })
  return trimmed
}
