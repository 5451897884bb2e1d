import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { findCause } from '../../service/engine/find-cause.ts'
import type { Change, Incident } from '../../service/engine/incident.ts'
import { buildIncident, culpritId, onset, type Kind } from './kinds/build-incident.ts'
import { codeKinds } from './kinds/code-kinds.ts'
import { moreCodeKinds } from './kinds/more-code-kinds.ts'
import { operationalKinds } from './kinds/operational-kinds.ts'

const minute = 60_000
const caused = [...codeKinds, ...moreCodeKinds]

describe('a change is blamed where it explains the trouble', () => {
  for (const kind of caused)
    test(kind.name, () => {
      const { verdict, culprit, changes } = findCause(buildIncident(kind))
      assert.equal(verdict, 'change')
      assert.equal(culprit?.change.id, culpritId)
      assert.ok(culprit.reasons.length >= 2, culprit.reasons.join('; '))
      for (const other of changes) assert.ok(other.score <= culprit.score)
    })
})

describe('nobody is blamed where no change explains it', () => {
  for (const kind of operationalKinds)
    test(kind.name, () => {
      const cause = findCause(buildIncident(kind))
      assert.equal(cause.culprit, undefined)
      assert.equal(cause.class, kind.cause)
      assert.equal(cause.verdict, kind.cause === 'unknown' ? 'not_established' : 'operational')
      assert.equal(cause.component, kind.alert[0])
    })

  for (const { culprit: _, ...kind } of caused)
    test(`${kind.name}, when the change that did it is not among the evidence`, () => {
      assert.equal(findCause(buildIncident(kind)).culprit, undefined)
    })

  for (const kind of caused)
    test(`${kind.name}, when the change came after the onset`, () => {
      const late = kind.culprit && { ...kind.culprit, before: -10 }
      assert.equal(
        findCause(buildIncident({ ...kind, ...(late && { culprit: late }) })).culprit,
        undefined
      )
    })
})

test('the culprit stays among the first three beside those of other kinds, and is nearly always first', () => {
  let [all, first, wrong] = [0, 0, 0]
  for (const [index, kind] of caused.entries())
    for (let round = 0; round < 3; round += 1) {
      const others = [1, 5, 9, 13].flatMap((step, place) => {
        const culprit = caused[(index + step + 7 * round) % caused.length]?.culprit
        return culprit
          ? [
              {
                ...culprit,
                to: kind.alert[0],
                before: 1 + 3 * place
              }
            ]
          : []
      })
      const { changes, culprit } = findCause(
        buildIncident({ ...kind, baits: [...kind.baits, ...others] })
      )
      all += 1
      if (culprit?.change.id === culpritId) first += 1
      else if (culprit) wrong += 1
      assert.ok(
        changes.slice(0, 3).some(({ change }) => change.id === culpritId),
        kind.name
      )
    }
  assert.ok(first >= 0.9 * all, `${first} of ${all}`)
  assert.ok(wrong <= 0.1 * all, `${wrong} of ${all}`)
})

test('the deploys before an operational cause are not blamed when they are the culprits of other kinds', () => {
  let [all, wrong] = [0, 0]
  for (const [index, kind] of operationalKinds.entries())
    for (let round = 0; round < 5; round += 1) {
      const culprit = caused[(index * 3 + round * 7) % caused.length]?.culprit
      const baits = culprit
        ? [...kind.baits, { ...culprit, to: kind.alert[0], before: 2 }]
        : kind.baits
      all += 1
      if (findCause(buildIncident({ ...kind, baits })).culprit) wrong += 1
    }
  assert.ok(wrong <= 0.1 * all, `${wrong} of ${all}`)
})

const canary = (share: number, env = 'prod'): Incident => {
  const kind: Kind = {
    name: 'a canary',
    alert: ['basket', 'error_rate', 'basket error rate above 2 %'],
    errors: [],
    metrics: [['basket', 'error_rate', 0.002, 0.2]],
    baits: []
  }
  const deploy: Change = {
    id: 'deploy',
    kind: 'deploy',
    at: onset - 3 * minute,
    service: 'basket',
    version: 'v7.1.0',
    env,
    message: 'Deployed basket v7.1.0',
    files: [],
    diff: null,
    rollouts: []
  }
  const incident = buildIncident(kind)
  return {
    ...incident,
    alert: { ...incident.alert, env: 'production' },
    changes: [deploy],
    logs: Array.from({ length: 20 }, (_, index) => ({
      at: onset + index * 5_000,
      service: 'basket',
      severity: 'error' as const,
      text: 'order has no currency',
      version: index < share * 20 ? '7.1.0' : '7.0.9'
    }))
  }
}

test('a deploy of unknown content is blamed when its version alone writes the errors, not when both do', () => {
  const alone = findCause(canary(1))
  assert.equal(alone.culprit?.change.id, 'deploy')
  assert.equal(alone.class, 'change.deploy')
  assert.match(
    alone.culprit.reasons.join('; '),
    /100 % of the 20 errors with a version are of v7\.1\.0/
  )
  const both = findCause(canary(0.5))
  assert.equal(both.culprit, undefined)
  assert.match(both.changes[0]?.reasons.join('; ') ?? '', /only 50 %/)
  assert.equal(findCause(canary(1, 'staging')).culprit, undefined)
})

test('the services that failed with it are named, worst first, without those it only asks more', () => {
  const kind = caused.find(({ name }) => name.startsWith('an N+1'))
  assert.ok(kind)
  const { blastRadius, component } = findCause(buildIncident(kind))
  assert.equal(component, 'graph')
  assert.deepEqual(blastRadius, [])
  const outer = caused.find(({ name }) => name.startsWith('a timeout lowered'))
  assert.ok(outer)
  assert.deepEqual(findCause(buildIncident(outer)).blastRadius, ['web'])
})

test('without any evidence nothing is established, and nothing breaks', () => {
  const empty: Incident = {
    alert: { service: 'x', text: '', at: onset },
    logs: [],
    patterns: [],
    metrics: [],
    spans: [],
    changes: [],
    deploys: []
  }
  const { verdict, changes, component } = findCause(empty)
  assert.deepEqual(
    { verdict, changes, component },
    { verdict: 'not_established', changes: [], component: 'x' }
  )
})

const anyChange = fc.record({
  message: fc.string({ maxLength: 60 }),
  files: fc.array(fc.constantFrom('a/b.go', 'docs/x.md', 'services/x/y.ts', 'go.mod', 'x.css'), {
    maxLength: 3
  }),
  diff: fc.option(
    fc
      .array(
        fc.tuple(
          fc.constantFrom('+', '-', ' ', '@@ '),
          fc.oneof(
            fc.string({ maxLength: 60 }),
            fc.constantFrom('if x == nil {', 'timeout: 5', 'db.Get(id)')
          )
        ),
        { maxLength: 12 }
      )
      .map(lines => lines.map(([sign, text]) => sign + text).join('\n'))
  ),
  before: fc.integer({ min: -60, max: 60 })
})

test('the order of changes decides nothing, and what came after the onset is never blamed', () => {
  const [kind] = caused
  assert.ok(kind)
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 12 }), made => {
      const changes = made.map(({ before, ...change }, index): Change => ({
        ...change,
        id: String(index).padStart(2, '0'),
        kind: 'commit',
        at: onset - before * minute,
        rollouts: []
      }))
      const incident = { ...buildIncident(kind), changes }
      const cause = findCause(incident)
      assert.deepEqual(findCause({ ...incident, changes: changes.toReversed() }), cause)
      assert.equal(cause.changes.length, changes.length)
      if (cause.culprit) assert.ok(cause.culprit.change.at <= cause.signs.onset.at + 2 * minute)
    })
  )
})
