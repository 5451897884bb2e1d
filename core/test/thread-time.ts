/**
 * What this thread has used of the processor, in milliseconds: it does not pass while others have the machine, nor
 * while other threads collect garbage. Other tests of the same process count, unless the work is synchronous.
 */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
