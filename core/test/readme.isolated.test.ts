import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createHome, freePort, startProduct, type Product } from '../../bench/process/product.ts'
import { eventually } from './eventually.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')
const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  scripts: Readonly<Record<string, string>>
}

/** The indented blocks of a Markdown text. */
const blocksOf = (text: string): string[] =>
  [...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, ''))

/** The commands of the first column of the table of commands, as they stand there. */
const commandsOf = (text: string): string[] => {
  const table = /^\| command \|.*\n\|[-|]+\n((?:\|.*\n)+)/m.exec(text)?.[1] ?? ''
  const cells = table.split('\n').flatMap(row => /^\| (.*?) (?<!\\)\|/.exec(row)?.[1] ?? [])
  return cells.flatMap(cell =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, command = '']) => command.replaceAll('\\|', '|'))
  )
}

interface Ran {
  readonly code: number
  readonly out: string
  readonly said: string
}
const blocks = blocksOf(readme)
const home = await createHome()
const port = await freePort()
const env = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TMPDIR: process.env['TMPDIR'],
  HOST: '127.0.0.1',
  PORT: String(port),
  RAYNE_HOME: home.home,
  RAYNE_LOG_LEVEL: 'warn'
}
let product: Product | undefined

const run = (program: string, args: readonly string[]): Promise<Ran> =>
  new Promise(resolve => {
    execFile(program, args, { cwd: root, env, timeout: 60_000 }, (error, out, said) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, out, said })
    )
  })
const rayne = async (...args: readonly string[]): Promise<Ran> => {
  const ran = await run(process.execPath, ['core/bin.js', ...args])
  assert.equal(ran.code, 0, `rayne ${args.join(' ')}: ${ran.out}${ran.said}`)
  return ran
}

before(async () => {
  product = startProduct({ home: home.home, port, env: {} })
  await eventually(
    'the first alert of the simulated Datadog',
    async () => {
      const answer = await fetch(`${product?.url}/v1/webhooks/events`).catch(() => undefined)
      const { total_count: count } = ((await answer?.json()) ?? {}) as { total_count?: number }
      return count !== undefined && count > 0
    },
    60_000
  )
})
after(async () => {
  await product?.stop()
  await home.remove()
})

const hasCurl = spawnSync('curl', ['--version']).status === 0
const withoutCurl = hasCurl || process.env['CI'] ? {} : { skip: 'curl is not installed' }

describe('the README', { concurrency: false }, () => {
  const requests = blocks.filter(block => block.includes('curl '))
  test('has requests to try, scripts, and a table of commands', () => {
    assert.ok(requests.length >= 2 && blocks.length >= 5 && commandsOf(readme).length >= 10)
  })

  for (const block of requests) {
    const title = block.slice(0, block.indexOf('http')).trim()
    test(`runs: ${title}`, withoutCurl, async () => {
      const script = block.replaceAll('127.0.0.1:8080', `127.0.0.1:${port}`)
      const failing = 'curl() { command curl --fail-with-body "$@"; echo; }'
      const { code, out, said } = await run('bash', [
        '-euo',
        'pipefail',
        '-c',
        `${failing}\n${script}`
      ])
      assert.equal(code, 0, `${out}${said}`)
      const answers = out.split('\n').filter(line => line !== '')
      assert.ok(answers.length >= block.split(/\bcurl\b/).length - 2, out)
      for (const answer of answers) assert.equal(typeof JSON.parse(answer), 'object', answer)
    })
  }

  test('names scripts and measurements that exist', () => {
    const code = [...blocks, ...[...readme.matchAll(/`([^`\n]+)`/g)].map(([, text]) => text)]
    const commands = [...code.join('\n').matchAll(/\bnpm (?:run )?([a-z:]+)(?: -- ([a-z-]+))?/g)]
    assert.ok(commands.length >= 10)
    for (const [command, script = '', name] of commands) {
      assert.ok(script === 'ci' || scripts[script], `${command} is no script of package.json`)
      if (script === 'bench') assert.ok(existsSync(path.join(root, 'bench', name ?? '')), command)
    }
    const files = [...readme.matchAll(/`((?:assets|core|examples|plugins|tools)\/[\w./-]+)`/g)]
    assert.ok(files.length >= 4)
    for (const [, file = ''] of files) assert.ok(existsSync(path.join(root, file)), file)
  })

  test('has commands that run', { timeout: 300_000 }, async () => {
    const file = path.join(home.home, 'alert.json')
    writeFileSync(file, '{ "monitor_id": 7, "alert_title": "disk full", "alert_status": "Alert" }')
    const recorded = path.join(home.home, 'recorded.json')
    const idOf = async (): Promise<string> => {
      const { out } = await rayne('tokens', '--json')
      return String((JSON.parse(out) as { id: number }[])[0]?.id)
    }
    const account = async (): Promise<string> => {
      const answer = await fetch(`${product?.url}/v1/accounts`)
      const { accounts } = (await answer.json()) as { accounts: { name: string }[] }
      return accounts[0]?.name ?? ''
    }
    const monitorOf = async (name: string): Promise<string> => {
      const answer = await fetch(`${product?.url}/v1/monitors?account=${name}`)
      const { monitors } = (await answer.json()) as { monitors: { id: number }[] }
      return String(monitors[0]?.id)
    }
    /** What is run for a command as it stands in the table. */
    const examples: Readonly<Record<string, () => Promise<unknown>>> = {
      start: async () => assert.equal((await fetch(`${product?.url}/readyz`)).status, 200),
      doctor: () => rayne('doctor'),
      audit: () => rayne('audit'),
      migrate: () => rayne('migrate'),
      'receive <file.json>': async () => {
        const { out } = await rayne('receive', file, '--json')
        assert.match(out, /"event_id"/)
      },
      'analyse --monitor ID [--at TIME] [--account NAME]': async () => {
        const monitor = await monitorOf(await account())
        const { out } = await rayne('analyse', '--monitor', monitor)
        assert.match(out, /## What was found/)
        const served = await rayne('analyse', '--monitor', monitor, '--url', product?.url ?? '')
        assert.match(served.out, /## What was found/)
      },
      'record <file.json> --account NAME --monitor ID': async () => {
        const name = await account()
        const monitor = await monitorOf(name)
        await rayne('record', recorded, '--account', name, '--monitor', monitor)
        assert.ok(existsSync(recorded))
      },
      'notify-server [--port N]': () => rayne('notify-server', '--help'),
      'mcp [--print-config CLIENT]': () => rayne('mcp', '--print-config', 'inspector'),
      'tools list': () => rayne('tools', 'list'),
      'tools show|test <name>': () => rayne('tools', 'show', '--help'),
      'tools approve|reject <name> <version>': () => rayne('tools', 'approve', '--help'),
      'tools roll-back <name>': () => rayne('tools', 'roll-back', '--help'),
      'secrets rotate': () => rayne('secrets', 'rotate'),
      'jobs [--state failed]': async () => {
        await rayne('jobs')
        await rayne('jobs', '--state', 'failed')
      },
      'jobs retry [id…]': () => rayne('jobs', 'retry'),
      users: () => rayne('users'),
      'simulator [--scenario NAME|FILE]': () => rayne('simulator', '--help'),
      'users add|password|remove <name>': async () => {
        await rayne('users', 'add', 'ada')
        await rayne('users', 'password', 'ada')
        await rayne('users', 'remove', 'ada')
      },
      tokens: () => rayne('tokens'),
      'tokens add <name> --scope ingest': () => rayne('tokens', 'add', 'ci', '--scope', 'ingest'),
      'tokens revoke <id>': async () => rayne('tokens', 'revoke', await idOf())
    }
    const documented = commandsOf(readme)
    assert.deepEqual(
      documented.filter(command => !examples[command]),
      []
    )
    const { out: help } = await rayne('--help')
    const offered = [...help.matchAll(/^ {2}([a-z][a-z-]*) /gm)].map(([, name = '']) => name)
    assert.ok(offered.length >= 10, help)
    assert.deepEqual(
      offered.filter(name => name !== 'help' && !documented.some(one => one.startsWith(name))),
      [],
      'commands that the README does not name'
    )
    for (const command of documented) await examples[command]?.()
  })
})
