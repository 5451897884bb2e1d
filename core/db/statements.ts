import pg from 'pg'
import { secondMs } from '../time.ts'
import type { Connection } from './database.ts'

/** One statement that PostgreSQL parses once a connection; a Buffer is a parameter in binary form. */
export interface Statement {
  run(values: readonly unknown[]): Promise<readonly Record<string, unknown>[]>
}

/**
 * Statements past the query builder, for what is run thousands of times a second, on a few connections of their own: no
 * reader can take them away. One that gets no answer within 8 s ends its connection.
 */
export function createStatements(connection: Connection) {
  const pool = new pg.Pool({
    ...connection,
    application_name: 'rayne-statements',
    max: 3,
    connectionTimeoutMillis: 4 * secondMs,
    query_timeout: 8 * secondMs,
    idleTimeoutMillis: 30 * secondMs
  })
  // A lost idle connection is replaced when the next statement asks for one.
  pool.on('error', () => {})
  return {
    define: (name: string, text: string): Statement => ({
      async run(values) {
        const { rows } = await pool.query<Record<string, unknown>>({
          name,
          text,
          values: [...values]
        })
        return rows
      }
    }),
    close: (): Promise<void> => pool.end()
  }
}
export type Statements = ReturnType<typeof createStatements>
