import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Operation } from '../http/operation.ts'
import { builtInPlugins, loadPlugins } from '../load.ts'
import { endless, hostileJson, hostileTexts } from './hostile-values.ts'
import {
  addressOf,
  parametersOf,
  sampleRequest,
  withValue,
  type Parameter,
  type Sample
} from './sample-request.ts'
import { suiteApp } from './suite-app.ts'

const plugins = await loadPlugins(builtInPlugins())

/** These fail when they are asked to, or say that they are not there yet. */
const failing = ['GET /v1/demo/error', 'POST /v1/demo/seed/rum', 'POST /v1/demo/seed/all']
const nameOf = ({ method, path }: Operation): string => `${method} ${path}`

interface Answer {
  readonly status: number
  readonly pointers: readonly string[]
  /** A problem; the first version's clients of datacat get the words they know. */
  readonly isProblem: boolean
  /** The platform's own refusal of an input, and not one of Datadog that is passed on. */
  readonly isInput: boolean
}

/** Whether a text can be no value of this parameter. */
function mustFail({ place, at, schema }: Parameter, value: unknown): boolean {
  // The first version took an empty number for none.
  if (place === 'body' || typeof value !== 'string' || value === '') return false
  if (value.includes('\u0000')) return true
  if (schema.type === 'integer' || schema.type === 'number')
    return !/^-?\d{1,16}(\.\d+)?$/.test(value)
  if (schema.format === 'uuid') return !/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/.test(value)
  return at[0] === 'cursor' && !new RegExp(schema.pattern ?? '$^').test(value)
}

describe('every parameter of every route', () => {
  const shared = suiteApp({ plugins })

  async function ask(operation: Operation, sample: Sample): Promise<Answer> {
    const { method, where } = addressOf(operation, sample)
    const text = sample.body === undefined ? undefined : JSON.stringify(sample.body)
    const send = (): Promise<Response> =>
      fetch(`${shared.url}${where}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(text === undefined || method === 'GET'
          ? {}
          : { body: text.replaceAll(`"${endless}"`, '1e400') })
      })
    // A connection that was closed after the answer before is no answer to this one.
    const response = await send()
      .catch(send)
      .catch((error: unknown) => {
        throw new Error(`${method} ${where.slice(0, 200)} ${text?.slice(0, 100)}`, { cause: error })
      })
    const isProblem =
      response.headers.get('content-type')?.startsWith('application/problem') === true
    if (!isProblem) {
      await response.body?.cancel()
      return { status: response.status, pointers: [], isProblem, isInput: false }
    }
    const { type, errors = [] } = (await response.json()) as {
      type: string
      errors?: { pointer: string }[]
    }
    return {
      status: response.status,
      pointers: errors.map(error => error.pointer),
      isProblem,
      isInput: type === 'urn:rayne:error:invalid-input'
    }
  }

  /** Why an answer to a hostile value is not one, or undefined. */
  function wrong(
    { place, at, schema }: Parameter,
    value: unknown,
    answer: Answer,
    others: readonly string[]
  ) {
    const { status, pointers, isInput } = answer
    if (status >= 500) return `answered ${status}`
    const pointer = `/${place}/${at.join('/')}`
    if (status === 400 && isInput && pointers.length === 0) return 'was not named'
    if (status === 400 && place === 'path' && pointers[0] === '/path') return undefined
    const isAbout = (one: string): boolean =>
      others.includes(one) ||
      `${one}/`.startsWith(place === 'body' ? '/body/' : `/${place}/${String(at[0])}/`)
    if (status === 400 && isInput && !pointers.some(isAbout))
      return `was not named: ${pointers.join(', ')} and not ${pointer}`
    // An id that is none names nothing.
    const isNothing = schema.format === 'uuid' && status === 404
    return status === 400 || isNothing || !mustFail({ place, at, schema }, value)
      ? undefined
      : `was taken: ${status}`
  }

  async function fuzz(operation: Operation): Promise<string[]> {
    const sample = sampleRequest(operation)
    // What a sample lacks by itself: no schema says that a name must be one of those there are.
    const others = (await ask(operation, sample)).pointers
    const found: string[] = []
    for (const parameter of parametersOf(operation)) {
      const values = parameter.place === 'body' ? [...hostileTexts, ...hostileJson] : hostileTexts
      const refused = new Map<unknown, boolean>()
      const one = async (value: unknown): Promise<void> => {
        // An empty part of a path is another path.
        if (parameter.place === 'path' && /^(?:\.{0,2}|\s*)$/.test(String(value))) return
        const answer = await ask(operation, withValue(sample, parameter, value))
        refused.set(value, answer.status === 400 && answer.isInput)
        const reason =
          wrong(parameter, value, answer, others) &&
          wrong(parameter, value, answer, (await ask(operation, sample)).pointers)
        const shown = JSON.stringify(value).slice(0, 60)
        if (reason)
          found.push(
            `${nameOf(operation)} ${parameter.place} ${parameter.at.join('.')}: ${shown} ${reason}`
          )
      }
      for (let n = 0; n < values.length; n += 8) await Promise.all(values.slice(n, n + 8).map(one))
      // What takes days of a calendar refuses this one.
      if (
        refused.get('[object Object]') &&
        !refused.get('2026-02-30') &&
        parameter.schema.pattern === undefined
      )
        found.push(`${nameOf(operation)} ${parameter.at.join('.')}: 30 February was taken`)
    }
    return found
  }

  // An account that is stored leads away from the simulator, to Datadog itself: those come last.
  const stores = ({ path }: Operation): number => (path.startsWith('/v1/accounts') ? 1 : 0)
  const operationsOf = (owner: string): Operation[] =>
    shared.app.router.operations
      .filter(operation => operation.owner === owner && operation.method !== '*')
      .toSorted((a, b) => stores(a) - stores(b))

  // For the same reason the plugin that stores them comes after all that ask Datadog.
  const storesLast = plugins.toSorted(
    (a, b) => Number(a.id === 'datadog-proxy') - Number(b.id === 'datadog-proxy')
  )
  for (const owner of ['core', ...storesLast.map(({ id }) => id)])
    test(`of ${owner} refuses hostile values by name, and none is a fault of the server`, async () => {
      const found: string[] = []
      for (const operation of operationsOf(owner).filter(one => !failing.includes(nameOf(one))))
        found.push(...(await fuzz(operation)))
      assert.equal(found.join('\n'), '')
    })

  test('was looked at', () => {
    const owners = ['core', ...plugins.map(({ id }) => id)]
    const all = owners.flatMap(operationsOf)
    const known = shared.app.router.operations.filter(({ method }) => method !== '*')
    assert.deepEqual(all.toSorted().length, known.length)
    assert.ok(all.flatMap(parametersOf).length > 150)
  })
})
