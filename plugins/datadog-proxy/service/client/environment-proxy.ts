import { bootError } from '../../../../core/index.ts'
import type { Fetch } from './exchange.ts'

/**
 * `fetch` through the proxy that HTTPS_PROXY names, past the hosts of NO_PROXY; undefined without one. undici is loaded
 * at the first request. Throws when the address is none of a proxy that can be used, without repeating its password.
 */
export function proxiedFetch(httpsProxy: string, noProxy: string): Fetch | undefined {
  if (httpsProxy.trim() === '') return undefined
  const proxy = addressOf(httpsProxy.trim())
  let loading: Promise<Fetch> | undefined
  const load = async (): Promise<Fetch> => {
    const { EnvHttpProxyAgent, fetch } = await import('undici')
    const dispatcher = new EnvHttpProxyAgent({ httpsProxy: proxy, httpProxy: proxy, noProxy })
    return (url, init) => fetch(url, { ...init, dispatcher })
  }
  return async (url, init) => (await (loading ??= load()))(url, init)
}

// As curl reads it: without a scheme it is http.
function addressOf(text: string): string {
  const address = URL.parse(/^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  if (address && /^https?:$/.test(address.protocol)) return address.href
  throw bootError(
    'HTTPS_PROXY is not the address of an HTTP proxy such as ' +
      `http://proxy.example:3128${address ? `: ${address.protocol} is not supported` : ''}`
  )
}
