import { Client, type ClientConfig } from 'pg'

/** Runs something over one connection of its own, which ends with it; reaching the server may take 2 s. */
export async function withClient<T>(
  connection: ClientConfig,
  run: (client: Client) => Promise<T>
): Promise<T> {
  const client = new Client({ ...connection, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return await run(client)
  } finally {
    await client.end().catch(() => {})
  }
}
export type { Client }
