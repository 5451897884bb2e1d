#!/usr/bin/env node
// Runs the command line on a Node that is new enough: this one, or the one npm put beside us.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import module, { createRequire } from 'node:module'
import { constants } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = path.dirname(fileURLToPath(import.meta.url))
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const isEnough = ([major = 0, minor = 0]) => major > 24 || (major === 24 && minor >= 7)

if (isEnough(process.versions.node.split('.').map(Number))) void run()
else handOver()

/** Hears signals first of all: as process 1 nothing else would end us while the modules load. */
async function run() {
  const stop = new AbortController()
  let [loaded, stoppedAt] = [false, 0]
  for (const name of signals)
    process.on(name, () => {
      if (!loaded) process.exit(128 + constants.signals[name])
      // A terminal and a parent may both pass one key press on; that is not "again".
      if (stop.signal.aborted && Date.now() - stoppedAt > 300) process.exit(1)
      stoppedAt ||= Date.now()
      stop.abort(new Error(name))
    })
  // Beside the packages, where only who may change the code may write.
  const below = folder.includes(`${path.sep}node_modules${path.sep}`)
  const packages = below
    ? folder.slice(0, folder.lastIndexOf('node_modules'))
    : path.dirname(folder)
  module.enableCompileCache(path.join(packages, 'node_modules', '.cache', 'rayne'))
  // Node strips types by itself, though not below node_modules; tsx does both.
  if (below || !process.features.typescript) (await import('tsx/esm/api')).register()
  const { main } = await import('./main.ts')
  loaded = true
  const code = await main(process.argv.slice(2), stop.signal)
  process.exitCode = code
  // What is still open is of no use to anybody now.
  setTimeout(() => process.exit(code), 500).unref()
}

/** Starts ourselves again on the Node that came with `npm ci`, wherever npm put it. */
function handOver() {
  const bundled = findNode()
  if (bundled === undefined) {
    console.error(
      `Rayne needs Node 24.7 or newer and this is ${process.versions.node}: install a newer Node, ` +
        'or run `npm ci` without --omit=optional so that one comes along.'
    )
    process.exit(1)
  }
  const child = spawn(bundled, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit'
  })
  for (const name of signals) process.on(name, () => child.kill(name))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal ?? 'SIGTERM']
  })
}

function findNode() {
  const require = createRequire(import.meta.url)
  const platform = process.platform === 'win32' ? 'win' : process.platform
  for (const name of [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`]) {
    try {
      const home = path.dirname(require.resolve(`${name}/package.json`))
      const file = path.join(home, 'bin', platform === 'win' ? 'node.exe' : 'node')
      if (existsSync(file)) return file
    } catch {
      /* not installed for this platform */
    }
  }
  return undefined
}
