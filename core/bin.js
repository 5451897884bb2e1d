#!/usr/bin/env node
// Runs the command line on a Node that is new enough: this one, or the one npm put beside us.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const enough = version => {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 24 || (major === 24 && minor >= 7)
}
const main = fileURLToPath(new URL('./main.ts', import.meta.url))

if (enough(process.versions.node)) {
  const { register } = await import('tsx/esm/api')
  register()
  await import(main)
} else {
  const bundled = ['linux-x64', 'linux-arm64', 'darwin-x64', 'win-x64']
    .map(name =>
      fileURLToPath(
        new URL(
          `../node_modules/node-${name}/bin/node${name.startsWith('win') ? '.exe' : ''}`,
          import.meta.url
        )
      )
    )
    .find(file => existsSync(file))
  if (!bundled) {
    console.error(
      `Rayne needs Node 24.7 or newer and this is ${process.versions.node}: install a newer Node, or run \`npm ci\` without --omit=optional so that one comes along.`
    )
    process.exit(1)
  }
  const child = spawn(bundled, ['--import', 'tsx', main, ...process.argv.slice(2)], {
    stdio: 'inherit'
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0)
  })
}
