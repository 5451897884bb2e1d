import { fitSymptoms, readChange, type Fit, type ReadChange } from './change-meaning.ts'
import type { Change, Incident, LogSign } from './incident.ts'
import { callsFromSpans, createCallGraph } from './infer-calls.ts'
import { ownerOf } from './map-paths.ts'
import type { Signs } from './read-signs.ts'
import type { SymptomKind } from './symptom-kinds.ts'
import { matchTexts, type TextMatch } from './text-match.ts'

/** A change with how likely it is the cause, and why. */
export interface RankedChange {
  readonly change: Change
  /** Log-odds that it is the cause: above 0 more likely than not. Only its order and sign are meant. */
  readonly score: number
  /** How well what it does explains what is seen, 0 to 1. */
  readonly fit: number
  /** The kind of trouble it explains best. */
  readonly kind: SymptomKind | undefined
  readonly reasons: readonly string[]
  readonly isPossible: boolean
}

const minute = 60_000
const prior = -4.2
const weights = { mechanism: 6, names: 2.5, words: 1.6, stack: 2.5 } as const
const places = {
  failing: 1,
  neighbour: 0.6,
  troubled: 0.5,
  shared: 0.5,
  unknown: 0,
  elsewhere: -0.8
} as const
const carriage = { ownDeploy: 0.8, laterDeploy: 0.3, none: -0.6 } as const
const inertPenalty = 6
// What nobody can read may do anything, but nothing in particular.
const unreadFit = 0.25
const versionPoints = { onlyThis: 3, both: -2.5 } as const
const leastVersioned = 5

/**
 * Every change as a suspect, likeliest first, ties by id. What counts: whether what it does explains
 * the kind of trouble, specific names it shares with the errors, whether its code is in the failing
 * service or in a library of it, how it got there, and the time between. Nearness in time alone
 * convicts nobody, and what came after the onset is impossible.
 */
export function rankChanges(incident: Incident, signs: Signs): RankedChange[] {
  const services = servicesOf(incident)
  const read = incident.changes.map(change => ({ change, read: readChange(change) }))
  const matches = matchTexts(signs.texts, read, services)
  const around = {
    incident,
    signs,
    services,
    stacks: stacksOf(incident),
    versioned: versionedErrors(incident, signs)
  }
  return read
    .map((one, index) => weigh(one.change, one.read, matches[index], around))
    .sort((a, b) => b.score - a.score || (a.change.id < b.change.id ? -1 : 1))
}

/** All names of services that the evidence holds. */
const servicesOf = ({ alert, metrics, logs, spans, deploys, changes }: Incident): string[] => [
  ...new Set([
    alert.service,
    ...[...metrics, ...logs, ...spans, ...deploys].map(({ service }) => service),
    ...changes.flatMap(({ service }) => service ?? [])
  ])
]

interface Surroundings {
  readonly incident: Incident
  readonly signs: Signs
  readonly services: readonly string[]
  /** Every stack and span error once, as one text. */
  readonly stacks: string
  /** Error lines since the onset that name a version. */
  readonly versioned: readonly LogSign[]
}

const stacksOf = ({ logs, spans }: Incident): string =>
  [
    ...new Set([
      ...logs.flatMap(({ detail }) => detail ?? []),
      ...spans.flatMap(({ error }) => error ?? [])
    ])
  ].join('\n')

function versionedErrors({ logs }: Incident, { onset }: Signs): LogSign[] {
  const from = onset.at - Math.max(minute, onset.precisionMs)
  return logs.filter(
    ({ severity, version, at }) => severity === 'error' && version !== undefined && at >= from
  )
}

function weigh(
  change: Change,
  read: ReadChange,
  match: TextMatch | undefined,
  around: Surroundings
): RankedChange {
  const { signs } = around
  const fit = fitSymptoms(read, signs.kinds)
  const owners = ownersOf(change, around.services)
  const arrival = arrivalOf(change, owners, around)
  const place = placeOf(owners, around)
  const stack = namedInStack(change, read, around.stacks)
  const late = arrival.at - signs.onset.at - Math.max(minute, signs.onset.precisionMs)
  const isUnread = change.diff === null && change.files.length === 0
  const versions = compareVersions(change, around)
  const isPossible = late <= 0
  const minutes = Math.max(0, (signs.onset.at - arrival.at) / minute)
  const patience = fit.isDelayed ? 0.25 : 0.6
  const score =
    prior +
    weights.mechanism * (isUnread ? Math.max(unreadFit, fit.fit) : fit.fit) ** 1.5 +
    versions.points +
    (isElsewhereEnv(change, around.incident) ? -inertPenalty : 0) +
    weights.names * (match?.names ?? 0) +
    weights.words * (read.isInert ? 0 : (match?.words ?? 0)) +
    (stack === undefined ? 0 : weights.stack) +
    places[place] +
    carriage[arrival.by] -
    patience * Math.log1p(minutes / 10) -
    (read.isInert ? inertPenalty : 0) -
    (isPossible ? 0 : 2 * inertPenalty)
  return {
    change,
    score,
    fit: fit.fit,
    kind: fit.kind,
    isPossible,
    reasons: reasonsOf({
      fit,
      place,
      stack,
      versions: versions.text,
      sharedNames: match?.sharedNames ?? [],
      arrived: isPossible
        ? `${arrival.by === 'none' ? 'made' : 'rolled out'} ${Math.round(minutes)} min before the onset`
        : 'came after the onset'
    })
  }
}

/** People spell the same environment in several ways. */
const bareEnv = (env: string): string =>
  env
    .toLowerCase()
    .replace(/^(?:production|prd|live)$/, 'prod')
    .replace(/^(?:stage|stg)$/, 'staging')
const isElsewhereEnv = ({ env }: Change, { alert }: Incident): boolean =>
  env !== undefined && alert.env !== undefined && bareEnv(env) !== bareEnv(alert.env)

const bareVersion = (version: string): string => version.replace(/^v/i, '')

/**
 * Errors that only the version of this change writes speak for it; errors that the version before
 * shares, against it.
 */
function compareVersions(
  { version, service }: Change,
  { versioned }: Surroundings
): { readonly points: number; readonly text: string | undefined } {
  const lines = versioned.filter(log => service === undefined || log.service === service)
  if (version === undefined || lines.length < leastVersioned) return { points: 0, text: undefined }
  const mine = lines.filter(log => bareVersion(log.version ?? '') === bareVersion(version)).length
  const percent = Math.round((100 * mine) / lines.length)
  const isOnlyThis = percent >= 75
  return {
    points: isOnlyThis ? (versionPoints.onlyThis * percent) / 100 : versionPoints.both,
    text: `${isOnlyThis ? '' : 'only '}${percent} % of the ${lines.length} errors with a version are of ${version}`
  }
}

interface Reasons {
  readonly fit: Fit
  readonly place: keyof typeof places
  readonly stack: string | undefined
  readonly versions: string | undefined
  readonly sharedNames: readonly string[]
  readonly arrived: string
}

function reasonsOf({ fit, place, stack, versions, sharedNames, arrived }: Reasons): string[] {
  return [
    fit.text !== undefined && fit.fit >= 0.2 ? `${fit.text}, which explains ${fit.kind}` : '',
    stack === undefined ? '' : `the errors' stack names ${stack}, which it changes`,
    sharedNames.length === 0
      ? ''
      : `the errors name ${sharedNames.slice(0, 3).join(', ')}, which it changes`,
    versions ?? '',
    placeTexts[place],
    arrived
  ].filter(text => text !== '')
}
const placeTexts: Readonly<Record<keyof typeof places, string>> = {
  failing: 'changes the service that fails',
  neighbour: 'changes a service that calls it or that it calls',
  troubled: 'changes a service that fails too',
  shared: 'changes a library that services share',
  unknown: '',
  elsewhere: 'changes a service without trouble'
}

/** The services whose code it changes, by its files, by what it says of itself, and by where it was rolled out. */
function ownersOf(change: Change, services: readonly string[]): ReadonlySet<string> {
  return new Set([
    ...change.files.flatMap(path => ownerOf(path, services) ?? []),
    ...(change.service === undefined ? [] : [change.service]),
    ...change.rollouts.map(({ service }) => service)
  ])
}

interface Arrival {
  readonly at: number
  readonly by: keyof typeof carriage
}

/**
 * When and how it came into production: by its own deploy; else by the first later deploy of a service
 * it belongs to, or, for a shared library, of a troubled one; else when it was made.
 */
function arrivalOf(
  change: Change,
  owners: ReadonlySet<string>,
  { incident, signs }: Surroundings
): Arrival {
  if (change.kind !== 'commit') return { at: change.at, by: 'ownDeploy' }
  const own = Math.min(...change.rollouts.map(({ at }) => at))
  if (Number.isFinite(own)) return { at: own, by: 'ownDeploy' }
  const carriers = incident.deploys.filter(
    ({ at, service }) =>
      at >= change.at &&
      (owners.has(service) || (owners.has('shared') && signs.troubled.has(service)))
  )
  const later = Math.min(...carriers.map(({ at }) => at))
  return Number.isFinite(later) ? { at: later, by: 'laterDeploy' } : { at: change.at, by: 'none' }
}

function placeOf(
  owners: ReadonlySet<string>,
  { incident, signs }: Surroundings
): keyof typeof places {
  if (owners.has(incident.alert.service)) return 'failing'
  const { callees, callers } = createCallGraph(callsFromSpans(incident.spans))
  const near = [callees, callers].flatMap(links => [...(links.get(incident.alert.service) ?? [])])
  if (near.some(service => owners.has(service))) return 'neighbour'
  if ([...owners].some(owner => signs.troubled.has(owner))) return 'troubled'
  if (owners.has('shared')) return 'shared'
  return owners.size === 0 ? 'unknown' : 'elsewhere'
}

/** The file or function of the change that a stack in the errors names. */
function namedInStack(change: Change, read: ReadChange, stacks: string): string | undefined {
  if (read.isInert || stacks === '') return undefined
  const file = change.files.find(
    path =>
      path.length > 4 &&
      (stacks.includes(path) || stacks.includes(`${path.split('/').slice(-2).join('/')}:`))
  )
  if (file !== undefined) return file
  return read.hunks
    .flatMap(({ header, context }) => [header, ...context])
    .flatMap(
      text => /\b(?:func|def|function|fn|sub)\s+(?:\([^)]*\)\s*)?(\w{4,})/.exec(text)?.[1] ?? []
    )
    .find(name => new RegExp(`\\b${name}\\b`).test(stacks))
}
