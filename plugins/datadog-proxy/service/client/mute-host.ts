import { toSeconds, type EpochMs } from '../../../../core/index.ts'
import type { Sdk } from './load-sdk.ts'
import { pathPart } from './path-part.ts'
import { needs, type Call } from './send-request.ts'

/** Mutes a host until a time, whole seconds on the wire; sent once. */
export async function muteHost(
  call: Call,
  sdk: Sdk,
  { host, to, message }: { host: string; to: EpochMs; message: string }
): Promise<void> {
  const name = pathPart(host, 'the name of a host')
  await call.write(needs('hosts_write'), async () =>
    (await sdk.v1()).hosts.muteHost(name, { end: toSeconds(to), message, override: true })
  )
}
