import type { Exception } from './budgets.ts'

/** Casts (`as never`, `as unknown as`, `!`) by part of the tree: each number is the count, and only falls. */
export const casts: Readonly<Record<string, number>> = {
  bench: 22,
  core: 1,
  'core/test': 9,
  'examples/test': 1,
  'plugins/datacat/test': 63,
  'plugins/datadog-proxy': 3,
  'plugins/datadog-proxy/test': 19,
  'plugins/rca': 2,
  simulator: 2,
  'simulator/test': 11
}

/**
 * What is over its budget today. The list only shrinks: a number that could be lower, and an entry that
 * is not needed any more, are failures that say so. What is new and over a budget is made smaller.
 */
export const exceptions: readonly Exception[] = [
  // One file by design: an application copies it and needs nothing else.
  { path: 'plugins/datacat/clients/python/datacat.py', what: 'lines', number: 1382 }
]
