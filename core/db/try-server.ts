import { Client } from 'pg'
import { bootError, errorCode, errorText } from '../errors.ts'

const connectMs = 10_000
const example = 'postgres://user@host:5432/name'

/** Connects once to a PostgreSQL of the operator's; what is wrong with its address becomes one sentence. */
export async function tryServer(connectionString: string): Promise<void> {
  const where = placeOf(connectionString)
  const client = new Client({ connectionString, connectionTimeoutMillis: connectMs })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    throw bootError(
      `cannot use the database ${where} (DATABASE_URL or DB_HOST): ${reason(error)}`,
      error
    )
  } finally {
    await client.end().catch(() => {})
  }
}

/** Database, user and host for a sentence, never the password; throws when the text is no address at all. */
function placeOf(text: string): string {
  const url = URL.parse(text)
  if (!url || !/^postgres(ql)?:$/.test(url.protocol))
    throw bootError(
      `DATABASE_URL is no address of a PostgreSQL: it takes ${example}, ` +
        'where / # ? @ % in the password are written as %2F %23 %3F %40 %25'
    )
  const host = url.hostname || url.searchParams.get('host') || 'localhost'
  const user = url.username === '' ? '' : ` as user '${decode(url.username)}'`
  return `'${decode(url.pathname.slice(1))}' at ${host}:${url.port || 5432}${user}`
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function reason(error: unknown): string {
  const text = errorText(error)
  const [, known] =
    reasons.find(([code]) => code === errorCode(error) || code === text) ??
    reasons.find(([code]) => text.includes(code)) ??
    []
  return known === undefined ? text : `${known} (${errorCode(error) ?? text})`
}

const reasons: readonly (readonly [string, string])[] = [
  ['ENOTFOUND', 'no such host is known; check the name'],
  ['EAI_AGAIN', 'the host name cannot be looked up now; check the name and the network'],
  ['ECONNREFUSED', 'nothing listens there; start PostgreSQL or check host and port'],
  ['ENOENT', 'there is no such socket; check the folder'],
  ['ETIMEDOUT', 'no answer; check host, port and firewall'],
  ['EHOSTUNREACH', 'no way leads there; check host and network'],
  ['timeout expired', `no answer within ${connectMs / 1000} s; check host, port and firewall`],
  ['28P01', 'the password is wrong'],
  ['28000', 'this user may not connect; check the name and pg_hba.conf'],
  ['3D000', 'there is no such database; make it with CREATE DATABASE'],
  ['42501', 'this user may not use the database'],
  ['53300', 'it has no connection left; raise max_connections or use a pooler'],
  ['57P03', 'it is starting up or shutting down; try again'],
  ['does not support SSL', 'it speaks no TLS; leave sslmode out or set it to disable'],
  ['URI malformed', 'a % of the address is not followed by two hexadecimal digits']
]
