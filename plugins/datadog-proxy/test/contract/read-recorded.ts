import { epochMs } from '../../../../core/index.ts'
import type { DatadogFailure, TimeWindow } from '../../contract.ts'
import { instantOf } from './instants.ts'
import type { Interaction, Recording } from './recordings.ts'

/** Fields of a JSON object whose shape is the recording's. */
export type Json = Readonly<Record<string, unknown>>

/** The object itself, or an empty one. */
export const objectOf = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
/** What is at `a.b.0.c`, undefined where the way ends before. */
export const at = (value: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>(
      (inner, key) =>
        typeof inner === 'object' && inner !== null ? (inner as Json)[key] : undefined,
      value
    )
export const listAt = (value: unknown, path: string): readonly unknown[] => {
  const found = path === '' ? value : at(value, path)
  return Array.isArray(found) ? found : []
}
/** A text that says something. */
export const textAt = (value: unknown, path: string): string | undefined => {
  const found = at(value, path)
  return typeof found === 'string' && found !== '' ? found : undefined
}
export const numberAt = (value: unknown, path: string): number | undefined => {
  const found = at(value, path)
  return typeof found === 'number' && Number.isFinite(found) ? found : undefined
}
/** An id as text, however it was sent. */
export const idAt = (value: unknown, path: string): string | undefined => {
  const found = at(value, path)
  return typeof found === 'number' ? String(found) : textAt(value, path)
}
/** The distinct texts of a list, sorted. */
export const textsAt = (value: unknown, path: string): string[] =>
  [...new Set(listAt(value, path).filter(one => typeof one === 'string'))].toSorted()

/** The first of each that has the same key; what has none is left out, as the client cannot use it. */
export const uniqueBy = <T>(items: readonly T[], keyOf: (item: T) => string | undefined): T[] => {
  const found = new Map<string, T>()
  for (const item of items) {
    const key = keyOf(item)
    if (key !== undefined && !found.has(key)) found.set(key, item)
  }
  return [...found.values()]
}

/** The last part of a path, decoded. */
export const lastPart = ({ request }: Interaction): string =>
  decodeURIComponent(request.path.split('/').at(-1) ?? '')

/** The window of a v2 search; Datadog's default is the last 15 minutes. */
export function windowOf(filter: unknown, recording: Recording): TimeWindow {
  const to = instantOf(at(filter, 'to'), recording.at) ?? recording.at
  const from = instantOf(at(filter, 'from'), recording.at) ?? to - 900_000
  return { from: epochMs(from), to: epochMs(to) }
}

/** The failure the contract has for an answer that is a success by its status but not what was asked for. */
export const garbageUnless = (isAnswer: boolean): DatadogFailure | undefined =>
  isAnswer ? undefined : 'garbage'
