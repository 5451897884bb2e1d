import test from 'node:test'
import { findClient } from '../harness/clients.ts'
import { runClients } from '../run.ts'

// Below the runner's 120 s, so that a script that hangs is told by its own words.
const limitMs = 90_000
const needed = { ts: true, python3: true, python2: false, go: true } as const
const titles = {
  ts: 'the TypeScript client does all it offers against a real server, through a crash of that server',
  python3: 'the Python client does so on Python 3',
  python2: 'the Python client does so on Python 2.7',
  go: 'the Go client does so'
} as const

for (const name of ['ts', 'python3', 'python2', 'go'] as const) {
  const found = findClient(name)
  const missing = 'missing' in found ? found.missing : undefined
  const isSkipped = missing !== undefined && !(process.env['CI'] && needed[name])
  test(titles[name], { skip: isSkipped ? missing : false }, async t => {
    if ('missing' in found) throw new Error(found.missing)
    const said: string[] = []
    try {
      await runClients([found], { limitMs, signal: t.signal, say: line => said.push(line) })
    } catch (error) {
      if (error instanceof Error) error.message += `\n${said.join('\n')}`
      throw error
    }
  })
}
