import { readFileSync } from 'node:fs'
import path from 'node:path'
import { print, table } from '../figures.ts'
import { root } from './helper.ts'

interface CallFrame { readonly functionName: string; readonly url: string; readonly lineNumber: number }
interface Profile { readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly children?: readonly number[] }[]; readonly samples: readonly number[]; readonly timeDeltas: readonly number[] }

const idle = new Set(['(idle)', '(root)', '(program)'])
// A server that was frozen for a baseline has one sample as long as the pause.
const pauseMicroseconds = 100_000

/** Where the processor was: own time by function and by package, of the time that was not idle. */
export function printTopCosts(file: string, count = 30): void {
  const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile
  const own = new Map<number, number>()
  profile.samples.forEach((id, index) => {
    const delta = profile.timeDeltas[index] ?? 0
    if (delta < pauseMicroseconds) own.set(id, (own.get(id) ?? 0) + delta)
  })
  const byFunction = new Map<string, number>()
  const byPlace = new Map<string, number>()
  let busy = 0
  for (const { id, callFrame } of profile.nodes) {
    const time = own.get(id) ?? 0
    if (time === 0 || idle.has(callFrame.functionName)) continue
    busy += time
    const place = placeOf(callFrame)
    byFunction.set(`${callFrame.functionName || '(anonymous)'} ${place}:${callFrame.lineNumber + 1}`, (byFunction.get(`${callFrame.functionName || '(anonymous)'} ${place}:${callFrame.lineNumber + 1}`) ?? 0) + time)
    byPlace.set(packageOf(place), (byPlace.get(packageOf(place)) ?? 0) + time)
  }
  const top = (found: Map<string, number>, n: number): string[][] => [...found].sort((a, b) => b[1] - a[1]).slice(0, n).map(([name, time]) => [`${(100 * time / busy).toFixed(1)} %`, name])
  print(`\nProcessor time in ${file}: ${(busy / 1e6).toFixed(1)} s busy\n${table(['own', 'where'], top(byPlace, 15))}\n\n${table(['own', 'function'], top(byFunction, count))}`)
}

function placeOf({ url }: CallFrame): string {
  if (url === '') return 'native'
  const file = url.replace(/^file:\/\//, '').replace(/\?.*$/, '')
  return file.startsWith('/') ? path.relative(root, file) : file
}

/** `node_modules/pg/lib/x.js` → `pg`; our own files stay files. */
const packageOf = (place: string): string => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(place)?.[1] ?? place
