import { writeFileSync } from 'node:fs'

// Loaded into the server by --import: writes down when its event loop stood still, and for how long.
const file = process.env['BENCH_LOOP_FILE']
const stepMs = 10
const leastMs = 20

/** A time the loop did not turn: when it ended (epoch ms), how long, and what of it our own thread computed (ms). */
export interface Block {
  readonly endedAt: number
  readonly ms: number
  readonly computedMs: number
}

function watch(into: string): void {
  const blocks: Block[] = []
  let last = performance.now()
  let cpu = process.threadCpuUsage()
  setInterval(() => {
    const now = performance.now()
    const ms = now - last - stepMs
    const used = process.threadCpuUsage(cpu)
    if (ms >= leastMs) {
      const computedMs = Math.min(ms, (used.user + used.system) / 1000)
      blocks.push({ endedAt: performance.timeOrigin + now, ms, computedMs })
      writeFileSync(into, JSON.stringify(blocks))
    }
    last = now
    cpu = process.threadCpuUsage()
  }, stepMs).unref()
  writeFileSync(into, '[]')
}

if (file !== undefined) watch(file)
