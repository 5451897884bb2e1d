import { stopTestServer } from '../testing.ts'

/** Called by node's test runner after the last test of a process. */
export const globalTeardown = stopTestServer
