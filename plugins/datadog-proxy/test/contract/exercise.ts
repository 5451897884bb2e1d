import assert from 'node:assert/strict'
import { errorText, type Logger } from '../../../../core/index.ts'
import { DatadogError, type DatadogFailure } from '../../contract.ts'
import type { OpenAccount } from '../../service/client/account.ts'
import { createDatadogService } from '../../service/datadog.ts'
import type { Drift } from './drift.ts'
import type { Driven, Operation } from './operation.ts'
import { pageSizeOf, pagesFrom } from './paging.ts'
import type { Interaction, Recording } from './recordings.ts'
import type { ReplayServer, Served } from './replay-server.ts'

/** How one recorded interaction went. */
export interface Outcome {
  readonly passed: boolean
  readonly what: string
  readonly level: string
  readonly note: string
  readonly file: string
  /** Fields that the recording sends and the client has no input for. */
  readonly notDriven: readonly string[]
}
/** What is done to the client before it is driven; a test puts a broken one in its place. */
export type Prepare = (account: OpenAccount) => OpenAccount

const silent = (): void => {}
const quiet = { debug: silent, info: silent, warn: silent, error: silent, child: () => quiet }

async function accountAt(server: ReplayServer, pageSize: number): Promise<OpenAccount> {
  const service = createDatadogService({
    log: quiet as Partial<Logger> as Logger,
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
export async function exercise(
  server: ReplayServer,
  operation: Operation,
  { interaction, recording }: Omit<Driven, 'pages'>,
  prepare: Prepare = account => account
): Promise<Outcome> {
  const { status } = interaction.response
  const pages = status < 400 ? pagesFrom(interaction, recording) : [interaction]
  const driven = { interaction, recording, pages }
  const account = prepare(await accountAt(server, pageSizeOf(interaction)))
  server.replay({
    recording,
    target: interaction,
    companions: operation.companions ?? {},
    ...(operation.first ? { first: operation.first } : {})
  })
  const result = await settled(operation.run(account, driven))
  const served = server.served()
  const outcome = {
    what: `${interaction.op} ${status}`,
    file: recording.file,
    level: levelOf(served),
    notDriven: notDriven(served, driven)
  }
  try {
    if (served.length === 0) {
      checkRefusedLocally(result.error, interaction)
      return { ...outcome, passed: true, note: errorText(result.error) }
    }
    judge(operation, driven, served, result)
    return { ...outcome, passed: true, note: describe(driftIn(served, driven)) }
  } catch (error) {
    const said = errorText(error).split('\n').join(' ')
    return { ...outcome, passed: false, note: `${said} ${describe(driftIn(served, driven))}` }
  }
}

interface Settled {
  readonly value?: () => void
  readonly error?: unknown
}
const settled = (call: Promise<() => void>): Promise<Settled> =>
  call.then(
    value => ({ value }),
    (error: unknown) => ({ error })
  )

function judge(
  operation: Operation,
  driven: Driven,
  served: readonly Served[],
  { value, error }: Settled
): void {
  const { interaction } = driven
  const { status } = interaction.response
  const isSuccess = status < 400 || (operation.goneIsFine === true && status === 404)
  const failure = isSuccess && status !== 404 ? failureOfSuccess(operation, driven) : undefined
  checkServed(served, failure === undefined ? driven.pages : [interaction], operation)
  if (!isSuccess) checkError(error, interaction)
  else if (failure !== undefined) checkFailure(error, failure, interaction)
  else {
    if (error !== undefined) throw error
    value?.()
  }
}

/** An answer that succeeded by its status and cannot be what was asked for is a failure by the contract. */
function failureOfSuccess(operation: Operation, driven: Driven): DatadogFailure | undefined {
  const { status, headers, body } = driven.interaction.response
  if (status >= 300) return 'garbage'
  if (status === 204) return undefined
  const type = Object.entries(headers).find(([name]) => /^content-type$/i.test(name))?.[1]
  const isJson = type === undefined || /[/+]json\b/i.test(type)
  if (!isJson || body === null || typeof body === 'string') return 'garbage'
  return operation.refuses?.(driven)
}

/** Datadog would refuse it too, so a client that spares the request is right. */
function checkRefusedLocally(error: unknown, { response }: Interaction): void {
  assert.ok(error instanceof DatadogError, `nothing was sent: ${errorText(error)}`)
  assert.deepEqual(
    [error.failure, [400, 404, 422].includes(response.status)],
    ['invalid', true],
    `nothing was sent although Datadog answered ${response.status}: ${error.message}`
  )
}

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
  const unknown = served.flatMap(one => one.drift).filter(drift => !isAllowed(drift, operation))
  if (unknown.length > 0) throw new Error(`unknown drift: ${describe(unknown)}`)
}

function isAllowed({ kind, at }: Drift, { own = [], fills = [], sends = [] }: Operation): boolean {
  const isBelow = (paths: readonly string[]): boolean =>
    paths.some(path => at === path || at.startsWith(`${path}.`))
  if (isBelow(own)) return true
  if (kind === 'not sent') return !isBelow(sends)
  return kind === 'added' && fills.includes(at)
}

const kinds: Readonly<Record<number, DatadogFailure>> = {
  401: 'forbidden',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  429: 'rate_limited'
}

function checkFailure(error: unknown, failure: DatadogFailure, { response }: Interaction): void {
  assert.ok(error instanceof DatadogError, `expected a DatadogError, got ${errorText(error)}`)
  assert.deepEqual(
    [error.failure, error.datadogStatus ?? response.status],
    [failure, response.status]
  )
}

/** The kind of a refusal, its status, and the words Datadog said. */
export function checkError(error: unknown, interaction: Interaction): void {
  const { status, body } = interaction.response
  checkFailure(error, kinds[status] ?? (status >= 500 ? 'unavailable' : 'invalid'), interaction)
  const { message } = error as DatadogError
  for (const word of wordsOf(body))
    assert.ok(message.includes(word), `"${message}" lacks "${word}"`)
}

/** The longer words of the beginning of what Datadog said, without the frame of an error that was encoded twice. */
function wordsOf(body: unknown): readonly string[] {
  const said = firstText((body as { errors?: unknown } | null)?.errors) ?? ''
  const words: readonly string[] = said.slice(0, 300).match(/[\p{L}\d]{4,}(?=[^\p{L}\d])/gu) ?? []
  return words.filter(word => word !== 'errors')
}

function firstText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return undefined
  const { detail, title } = value as { detail?: unknown; title?: unknown }
  const said = [detail, title].find(text => typeof text === 'string' && text !== '')
  return (
    (said as string | undefined) ??
    Object.values(value)
      .map(firstText)
      .find(text => text !== undefined)
  )
}

/** Differences to the pages that belong to the interaction; a further request is not what was recorded. */
const driftIn = (served: readonly Served[], { pages }: Driven): readonly Drift[] =>
  served.filter(one => one.interaction && pages.includes(one.interaction)).flatMap(one => one.drift)

const notDriven = (served: readonly Served[], driven: Driven): readonly string[] => [
  ...new Set(
    driftIn(served, driven)
      .filter(({ kind }) => kind === 'not sent')
      .map(({ at }) => at)
  )
]

const levelOf = (served: readonly Served[]): string =>
  [...new Set(served.map(one => one.level))].join('+') || 'not sent'
const describe = (drift: readonly Drift[]): string =>
  [...new Set(drift.map(({ kind, at }) => `${kind} ${at}`))].join(', ')

/** Sends a recorded error of an unused operation through our transport: all envelopes have one parser. */
export async function exerciseEnvelope(
  server: ReplayServer,
  interaction: Interaction,
  recording: Recording
): Promise<Outcome> {
  const target = {
    ...interaction,
    request: { method: 'GET', path: '/api/v1/monitor/1', query: {}, body: null }
  }
  const outcome = {
    what: `envelope of ${interaction.op ?? 'unnamed'} ${interaction.response.status}`,
    level: 'envelope',
    file: recording.file,
    notDriven: []
  }
  const account = await accountAt(server, 1000)
  server.replay({ recording, target, companions: {} })
  const error: unknown = await account.monitor('1').then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  try {
    checkError(error, interaction)
    return { ...outcome, passed: true, note: '' }
  } catch (failed) {
    return { ...outcome, passed: false, note: errorText(failed).split('\n').join(' ') }
  }
}
