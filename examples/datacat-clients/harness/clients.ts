import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatacatClient } from 'rayne/datacat'

export const clientNames = ['ts', 'python3', 'python2', 'go'] as const
export type ClientName = (typeof clientNames)[number]

/** How the script of one client is run, and what that client offers. */
export interface ClientScript {
  readonly name: ClientName
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** Every public call; the script must have made each. */
  readonly surface: readonly string[]
}
/** Why the script cannot be run here, in a sentence. */
export interface Missing {
  readonly missing: string
}

const folder = fileURLToPath(new URL('../', import.meta.url))
const clients = fileURLToPath(new URL('../', import.meta.resolve('rayne/datacat')))

/** Finds what runs the script of a client on this machine. */
export function findClient(name: ClientName): ClientScript | Missing {
  if (name === 'ts')
    return {
      name,
      command: process.execPath,
      args: ['--import', 'tsx', path.join(folder, 'typescript/client.ts')],
      cwd: folder,
      env: {},
      surface: typescriptSurface()
    }
  return name === 'go' ? findGo() : findPython(name)
}

function typescriptSurface(): string[] {
  const client = createDatacatClient({ url: 'http://127.0.0.1' })
  const functions = (kind: string, object: object): string[] =>
    Object.entries(object)
      .filter(([, value]) => typeof value === 'function')
      .map(([key]) => `${kind}.${key}`)
  return [...functions('client', client), ...functions('session', client.openSession('any'))]
}

function findPython(name: 'python3' | 'python2'): ClientScript | Missing {
  const major = name === 'python3' ? 3 : 2
  const candidates =
    major === 3
      ? ['python3', ...pyenvPythons('3')]
      : ['python2.7', 'python2', ...pyenvPythons('2.7')]
  const command = candidates.find(
    one => says(one, ['-c', 'import sys; print(sys.version_info[0])']) === String(major)
  )
  if (command === undefined)
    return {
      missing:
        major === 3
          ? 'there is no python3: install Python 3.6 or newer (apt-get install python3, brew install python)'
          : 'there is no python2.7: install it with pyenv install 2.7.18'
    }
  const script = path.join(folder, 'python/client.py')
  return {
    name,
    command,
    args: [script],
    cwd: folder,
    env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' },
    surface: pythonSurface(command)
  }
}

function pyenvPythons(version: string): string[] {
  const versions = path.join(
    process.env['PYENV_ROOT'] ?? path.join(homedir(), '.pyenv'),
    'versions'
  )
  const found = existsSync(versions)
    ? readdirSync(versions).filter(one => one === version || one.startsWith(`${version}.`))
    : []
  return found.map(one => path.join(versions, one, 'bin', 'python'))
}

const listPublic = `
import datacat, inspect
for name in ("DatacatClient", "Session"):
    members = inspect.getmembers(getattr(datacat, name), lambda one: inspect.isfunction(one) or inspect.ismethod(one))
    print("\\n".join("%s.%s" % (name, key) for key, _ in members if not key.startswith("_")))
`
const pythonSurface = (command: string): string[] =>
  (
    says(command, ['-c', listPublic], {
      PYTHONPATH: path.join(clients, 'python'),
      PYTHONDONTWRITEBYTECODE: '1'
    }) ?? ''
  )
    .split('\n')
    .map(line => line.trim())
    .filter(Boolean)

function findGo(): ClientScript | Missing {
  if (says('go', ['version']) === undefined)
    return {
      missing:
        'there is no go: install Go 1.19 or newer (apt-get install golang-go, brew install go)'
    }
  return {
    name: 'go',
    command: 'go',
    args: ['run', '.'],
    cwd: path.join(folder, 'go'),
    env: { GOFLAGS: '-mod=mod', GOPROXY: 'off', GOTOOLCHAIN: 'local' },
    surface: goSurface(path.join(clients, 'go'))
  }
}

/** The exported methods of the exported types of the Go client, as its source declares them. */
function goSurface(source: string): string[] {
  const files = existsSync(source)
    ? readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
        file => file.endsWith('.go') && !file.endsWith('_test.go')
      )
    : []
  return files.flatMap(file =>
    [
      ...readFileSync(path.join(source, file), 'utf8').matchAll(
        /^func \(\w+ \*?([A-Z]\w*)\) ([A-Z]\w*)\(/gm
      )
    ].map(([, type, name]) => `${type}.${name}`)
  )
}

function says(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {}
): string | undefined {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  return status === 0 ? stdout.trim() : undefined
}
