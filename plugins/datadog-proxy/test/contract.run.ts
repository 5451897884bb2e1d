import assert from 'node:assert/strict'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { errorText, type Logger } from '../../../core/index.ts'
import { testData } from '../../../core/test/test-data.ts'
import { DatadogError } from '../contract.ts'
import type { OpenAccount } from '../service/client/account.ts'
import { createDatadogService } from '../service/datadog.ts'
import type { Operation } from './contract/operation.ts'
import { operations, pageSizeOf, pagesFrom } from './contract/operations.ts'
import {
  loadRecordings,
  type Drift,
  type Interaction,
  type Recording
} from './contract/recordings.ts'
import { startReplayServer, type ReplayServer, type Served } from './contract/replay-server.ts'

interface Outcome {
  readonly passed: boolean
  readonly what: string
  readonly level: string
  readonly note: string
  readonly file: string
}

const quiet: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => quiet
} as unknown as Logger
const expectedFailure: Readonly<Record<number, string>> = {
  400: 'invalid',
  401: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  422: 'invalid',
  429: 'rate_limited'
}

async function accountAt(server: ReplayServer, pageSize: number): Promise<OpenAccount> {
  const service = createDatadogService({
    log: quiet,
    pageSize,
    retry: { attempts: 1 },
    accounts: [
      {
        name: 'replay',
        simulated: true,
        baseUrl: server.url,
        appUrl: 'https://app.datadoghq.com',
        apiKey: 'replayed-api-key',
        appKey: 'replayed-app-key'
      }
    ]
  })
  return service.account('replay')
}

/** Drives one recorded interaction of an operation our client uses. */
async function exercise(
  server: ReplayServer,
  operation: Operation,
  interaction: Interaction,
  recording: Recording
): Promise<Outcome> {
  const what = `${interaction.op} ${interaction.response.status}`
  const pages =
    interaction.response.status < 400 ? pagesFrom(interaction, recording) : [interaction]
  const account = await accountAt(server, pageSizeOf(interaction))
  server.replay({
    recording,
    target: interaction,
    companions: operation.companions ?? {},
    ...(operation.first ? { first: operation.first } : {})
  })
  let drifted: readonly Drift[] = []
  try {
    const result = await settled(operation.drive(account, interaction, pages, recording))
    const served = server.served()
    if (served.length === 0)
      return {
        passed: refusedLocally(result, interaction),
        what,
        level: 'not sent',
        note: errorText(result.error),
        file: recording.file
      }
    drifted = served.flatMap(one => one.drift)
    checkServed(served, pages, operation)
    if (
      interaction.response.status >= 400 &&
      !(operation.goneIsFine && interaction.response.status === 404)
    )
      checkError(result.error, interaction)
    else {
      if (result.error !== undefined) throw result.error
      operation.verify(result.value, pages, interaction)
    }
    return {
      passed: true,
      what,
      level: levelOf(served),
      note: describe(drifted),
      file: recording.file
    }
  } catch (error) {
    return {
      passed: false,
      what,
      level: levelOf(server.served()),
      note: `${errorText(error).split('\n').join(' ')} ${describe(drifted)}`,
      file: recording.file
    }
  }
}

/** Sends a recorded error of an unused operation through our transport: all envelopes have one parser. */
async function exerciseEnvelope(
  server: ReplayServer,
  interaction: Interaction,
  recording: Recording
): Promise<Outcome> {
  const target = {
    ...interaction,
    request: { method: 'GET', path: '/api/v1/monitor/1', query: {}, body: null }
  }
  const shared = {
    what: `envelope of ${interaction.op ?? 'unnamed'} ${interaction.response.status}`,
    level: 'envelope',
    file: recording.file
  }
  const account = await accountAt(server, 1000)
  server.replay({ recording, target, companions: {} })
  const { error } = await settled(account.monitor('1'))
  try {
    checkError(error, interaction)
    return { ...shared, passed: true, note: '' }
  } catch (failed) {
    return { ...shared, passed: false, note: errorText(failed).split('\n').join(' ') }
  }
}

const settled = (call: Promise<unknown>): Promise<{ value?: unknown; error?: unknown }> =>
  call.then(
    value => ({ value }),
    (error: unknown) => ({ error })
  )

// Datadog would refuse it too, so a client that spares the request is right.
const refusedLocally = ({ error }: { error?: unknown }, { response }: Interaction): boolean =>
  error instanceof DatadogError &&
  error.failure === 'invalid' &&
  [400, 404, 422].includes(response.status)

function checkServed(
  served: readonly Served[],
  pages: readonly Interaction[],
  operation: Operation
): void {
  const missed = served.find(one => one.level === 'miss')
  if (missed)
    throw new Error(`no recorded request matches ${missed.request.method} ${missed.request.path}`)
  const unused = pages.filter(page => !served.some(one => one.interaction === page))
  if (unused.length > 0)
    throw new Error(`${unused.length} of ${pages.length} interactions were not used`)
  const unknown = served
    .flatMap(one => one.drift)
    .filter(
      ({ kind, at }) =>
        kind !== 'not sent' &&
        !operation.own.some(own => at === own || at.startsWith(`${own}.`)) &&
        !(kind === 'added' && operation.fills?.includes(at))
    )
  if (unknown.length > 0) throw new Error(`unknown drift: ${describe(unknown)}`)
}

function checkError(error: unknown, { response }: Interaction): void {
  assert.ok(error instanceof DatadogError, `expected a DatadogError, got ${errorText(error)}`)
  assert.equal(
    error.failure,
    expectedFailure[response.status] ?? (response.status >= 500 ? 'unavailable' : 'invalid')
  )
  assert.equal(error.datadogStatus, response.status)
  const said = firstText((response.body as { errors?: unknown } | null)?.errors)
  for (const word of said?.slice(0, 300).match(/[\p{L}\d]{4,}(?=[^\p{L}\d])/gu) ?? []) {
    if (word !== 'errors')
      assert.ok(error.message.includes(word), `"${error.message}" lacks "${word}"`)
  }
}

function firstText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  const { detail, title } = (value ?? {}) as { detail?: string; title?: string }
  return (
    detail ??
    title ??
    (typeof value === 'object' && value !== null
      ? Object.values(value)
          .map(firstText)
          .find(text => text !== undefined)
      : undefined)
  )
}

const levelOf = (served: readonly Served[]): string =>
  [...new Set(served.map(one => one.level))].join('+') || 'not sent'
const describe = (drift: readonly Drift[]): string =>
  [...new Set(drift.map(({ kind, at }) => `${kind} ${at}`))].join(', ')

function report(outcomes: readonly Outcome[], skipped: ReadonlyMap<string, number>): void {
  for (const { passed, what, level, note, file } of outcomes) {
    console.log(
      `${passed ? 'ok  ' : 'FAIL'} ${what.padEnd(44)} ${level.padEnd(18)} ${file}${note.trim() ? `\n       ${note.trim()}` : ''}`
    )
  }
  console.log('\nOperations Rayne does not use, with their interactions:')
  for (const [op, count] of [...skipped].sort()) console.log(`skip ${op.padEnd(64)} ${count}`)
}

async function run(folder: string): Promise<boolean> {
  const recordings = loadRecordings(folder)
  const server = await startReplayServer()
  const outcomes: Outcome[] = []
  const skipped = new Map<string, number>()
  let driven = 0
  for (const recording of recordings) {
    for (const interaction of recording.interactions) {
      const operation = operations[interaction.op ?? '']
      if (operation) {
        outcomes.push(await exercise(server, operation, interaction, recording))
        driven++
        continue
      }
      const name =
        interaction.op ??
        `unnamed ${interaction.request.method} ${interaction.request.path.replace(/\d+/g, '#')}`
      skipped.set(name, (skipped.get(name) ?? 0) + 1)
      if (interaction.response.status >= 400)
        outcomes.push(await exerciseEnvelope(server, interaction, recording))
    }
  }
  await server.close()
  report(outcomes, skipped)
  const failed = outcomes.filter(outcome => !outcome.passed).length
  const total = [...skipped.values()].reduce((sum, count) => sum + count, 0)
  if (driven === 0)
    console.log(
      `\nNone of the ${recordings.length} recordings holds an operation Rayne uses, so nothing was proven.`
    )
  console.log(`\n${outcomes.length - failed} passed, ${failed} failed, ${total} skipped`)
  return failed === 0 && driven > 0
}

const { values } = parseArgs({ options: { data: { type: 'string' } } })
const cassettes = testData('datadog-cassettes')
try {
  if (values.data === undefined && cassettes.skip !== false)
    console.log(`skipped: ${cassettes.skip}, or name them with --data DIR`)
  else {
    const passed = await run(path.resolve(values.data ?? cassettes.folder()))
    process.exitCode = passed ? 0 : 1
  }
} catch (error) {
  console.error(`The recordings cannot be replayed: ${errorText(error)}`)
  process.exitCode = 1
}
