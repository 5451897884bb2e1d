import { Client, type ClientConfig } from 'pg'

/** Runs something over one connection of its own, which ends with it; reaching the server may take `connectMs`. */
export async function withClient<T>(
  connection: ClientConfig,
  run: (client: Client) => Promise<T>,
  connectMs = 2_000
): Promise<T> {
  const client = new Client({ ...connection, connectionTimeoutMillis: connectMs })
  client.on('error', () => {})
  try {
    await client.connect()
    return await run(client)
  } finally {
    await client.end().catch(() => {})
  }
}
export type { Client }
