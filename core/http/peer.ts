import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { bootError } from '../errors.ts'

/** Who asked, by address: behind a proxy of ours, the last one it was not told of by another of ours. */
export type PeerOf = (request: {
  readonly headers: IncomingMessage['headers']
  readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'>
}) => string

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIP(address) === 6 ? 'ipv6' : 'ipv4')
const plain = (address: string): string => address.trim().replace(/^::ffff:(?=\d)/, '')

/** Whether an address is one of `trusted`, which are addresses and networks as 10.0.0.0/8. */
export function createIsTrusted(trusted: readonly string[]): (address: string) => boolean {
  const ours = new BlockList()
  for (const each of trusted) {
    const [address = '', bits] = each.split('/')
    const most = familyOf(address) === 'ipv6' ? 128 : 32
    const prefix = bits === undefined ? most : Number(bits)
    if (isIP(address) === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > most)
      throw bootError(
        `RAYNE_TRUSTED_PROXIES: '${each}' is no address or network; write 10.0.0.7 or 10.0.0.0/8`
      )
    ours.addSubnet(address, prefix, familyOf(address))
  }
  return address => {
    const own = plain(address)
    return isIP(own) !== 0 && ours.check(own, familyOf(own))
  }
}

/** Whatever others than trusted proxies say of forwarding is not believed. */
export function createPeerOf(trusted: readonly string[]): PeerOf {
  const isOurs = createIsTrusted(trusted)
  return ({ socket, headers }) => {
    const peer = plain(socket.remoteAddress ?? '')
    const told = headers['x-forwarded-for']
    if (trusted.length === 0 || typeof told !== 'string' || !isOurs(peer)) return peer
    const hops = told.split(',').slice(-20).map(plain)
    return hops.findLast(hop => !isOurs(hop)) ?? hops[0] ?? peer
  }
}
