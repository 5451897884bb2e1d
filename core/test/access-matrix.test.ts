import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { tokenScopes } from '../auth/principal.ts'
import { sha256 } from '../auth/secrets.ts'
import type { Operation } from '../http/operation.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { addressOf, sampleRequest } from './sample-request.ts'
import { suiteApp } from './suite-app.ts'

const ingestSecret = 'an-ingest-secret-of-the-matrix'
const password = 'correct horse battery'
const plugins = await loadPlugins(builtInPlugins())

/** Who asks: how they say so, and what they may do, by the words of a route and its method. */
interface Credential {
  readonly name: string
  readonly headers: Readonly<Record<string, string>>
  /** What stands for `{key}` in a path that carries its token. */
  readonly key?: string
  readonly isKnown: boolean
  readonly may: (auth: string, reads: boolean) => boolean
}

const senders = ['ingest', 'webhooks', 'datacat']
/** What each scope opens; said here a second time, on purpose. */
const opens: Readonly<Record<(typeof tokenScopes)[number], Credential['may']>> = {
  ingest: auth => ['ingest', 'scope:webhooks', 'scope:datacat'].includes(auth),
  webhooks: auth => auth === 'scope:webhooks',
  datacat: auth => auth === 'scope:datacat',
  read: (auth, reads) => (auth === 'user' && reads) || auth === 'scope:read',
  write: auth => auth === 'user',
  admin: () => true,
  tools: auth => auth === 'scope:tools'
}

describe('every route and every credential', () => {
  const shared = suiteApp({
    plugins,
    env: { RAYNE_AUTH: 'required', RAYNE_INGEST_SECRETS: ingestSecret }
  })
  const credentials: Credential[] = []

  before(async () => {
    const { store, db } = shared.app
    await store.addUser('root', password, 'admin')
    await store.addUser('ann', password, 'member')
    const origin = new URL(shared.url).origin
    const login = async (name: string) => {
      const session = (await store.login(name, password))?.session ?? ''
      return { session, headers: { cookie: `rayne_session=${session}`, origin } }
    }
    const bearer = (token: string) => ({
      headers: { authorization: `Bearer ${token}` },
      key: token
    })
    const nobody = { isKnown: false, may: () => false }
    const expired = await login('root')
    await db('core_sessions')
      .where({ hash: sha256(expired.session) })
      .update({ expires_at: new Date(0) })
    const revoked = await store.addToken('revoked', ['admin'])
    await store.revokeToken(revoked.info.id)
    const old = await store.addToken('old', ['admin'], new Date(Date.now() - 1_000))
    credentials.push(
      { name: 'nobody', headers: {}, ...nobody },
      { name: 'a made-up token', ...bearer(`rayne_api_${'0'.repeat(43)}`), ...nobody },
      { name: 'a revoked token', ...bearer(revoked.token), ...nobody },
      { name: 'an expired token', ...bearer(old.token), ...nobody },
      { name: 'an expired session', headers: expired.headers, ...nobody },
      {
        name: 'a foreign page',
        headers: { ...(await login('root')).headers, origin: 'https://evil.example' },
        isKnown: true,
        may: (_, reads) => reads
      },
      { name: 'a member', ...(await login('ann')), isKnown: true, may: auth => auth === 'user' },
      { name: 'an admin', ...(await login('root')), isKnown: true, may: () => true },
      { name: 'an ingest secret', ...bearer(ingestSecret), isKnown: true, may: opens.ingest }
    )
    for (const scope of tokenScopes)
      credentials.push({
        name: `a token for ${scope}`,
        ...bearer((await store.addToken(scope, [scope])).token),
        isKnown: true,
        may: opens[scope]
      })
  })

  /** What the answer must be: 401 or 403, or neither of them. */
  function expected({ auth, path, method }: Operation, who: Credential): number | undefined {
    const reads = method === 'GET'
    if (auth === 'public') return undefined
    if (path.startsWith('/k/')) {
      // Proxies log a path: there a session is nothing, and a token that is not a sender's is refused.
      if (who.key === undefined || !who.isKnown) return 401
      const sends = senders.some(scope => who.name === `a token for ${scope}`)
      if (!(sends || who.name === 'an ingest secret')) return 403
    }
    if (who.may(auth, reads)) return undefined
    return who.isKnown ? 403 : 401
  }

  async function ask(operation: Operation, who: Credential): Promise<number> {
    const sample = sampleRequest(operation)
    const key = who.key ?? 'none'
    const { method, where } = addressOf(operation, { ...sample, path: { ...sample.path, key } })
    const withToken = operation.path.startsWith('/k/')
    const response = await fetch(`${shared.url}${where}`, {
      method,
      headers: { 'content-type': 'application/json', ...(withToken ? {} : who.headers) },
      ...(method === 'GET' ? {} : { body: '"nothing that fits"' })
    })
    await response.body?.cancel()
    return response.status
  }

  test('end as the words of the route say', async () => {
    // A session ends where it is told to; what comes after would be nobody's.
    const ends = ({ path }: Operation): number => (path === '/logout' ? 1 : 0)
    const operations = shared.app.router.operations.toSorted((a, b) => ends(a) - ends(b))
    assert.ok(operations.length > 60 && credentials.length >= 9 + tokenScopes.length)
    const wrong: string[] = []
    for (const who of credentials)
      for (const operation of operations) {
        const status = await ask(operation, who)
        const wanted = expected(operation, who)
        const { method, path, auth } = operation
        // Public routes that ask for more by themselves: a password, a set-up secret.
        const isFree = auth === 'public' || (status !== 401 && status !== 403)
        if (wanted === undefined ? !isFree : status !== wanted)
          wrong.push(`${who.name}, ${method} ${path} (${auth}): ${status}, not ${wanted ?? 'free'}`)
      }
    assert.deepEqual(wrong, [])
  })
})
