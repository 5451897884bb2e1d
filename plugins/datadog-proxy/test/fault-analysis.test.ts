import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, test, type TestContext } from 'node:test'
import { createTestApp } from '../../../core/testing.ts'
import demo from '../../demo/plugin.ts'
import { createSimulator, type Simulator } from '../../../simulator/simulator.ts'
import rca from '../../rca/plugin.ts'
import webhooks from '../../webhooks/plugin.ts'
import proxy from '../plugin.ts'
import { clientOf } from './fault-site.ts'

interface Slot {
  slot: string
  outcome: string
  note: string | null
  rows: unknown[]
}
interface Wire {
  event_id: number
  status: string
  attempt: number
  error: string | null
  rca?: { url: string }
  report: { verdict: string; summary: string; evidence: Slot[] } | null
}
/**
 * One alert from a Datadog of its own; `first` is its analysis when an attempt ended for the first time, `last` when
 * there are no more.
 */
interface Case {
  readonly faults: readonly object[]
  readonly mends: boolean
}
interface Run {
  readonly simulator: Simulator
  readonly first: Wire
  readonly last: Wire
  readonly notebooksFirst: number
}

/** Ends every question of an analysis, each kind in the words the report must show. */
const breaking: Record<string, { then: object; outcome: string; says: RegExp }> = {
  '429 in HTML with Reset 3494': {
    then: { type: '429', body: 'html', reset: 3494 },
    outcome: 'error',
    says: /429 Too Many Requests/
  },
  '429 with Reset soon': {
    then: { type: '429', reset: 'soon' },
    outcome: 'error',
    says: /Rate limit of 100/
  },
  '502 in JSON': {
    then: { type: '5xx' },
    outcome: 'error',
    says: /502: Bad Gateway|failed 8 times in a row/
  },
  '503 in HTML': {
    then: { type: '5xx', body: 'html' },
    outcome: 'error',
    says: /503|failed 8 times in a row/
  },
  'no answer at all': {
    then: { type: 'timeout' },
    outcome: 'error',
    says: /no complete answer within 12 s/
  },
  'answers that drip': {
    then: { type: 'slow', drip: { bytes: 1, every_ms: 100 } },
    outcome: 'error',
    says: /no complete answer within 12 s/
  },
  'connections that break': {
    then: { type: 'reset' },
    outcome: 'error',
    says: /could not be reached|failed 8 times in a row/
  },
  'truncated JSON': { then: { type: 'malformed' }, outcome: 'error', says: /breaks off/ },
  'a login page': {
    then: { type: 'malformed', body: 'html' },
    outcome: 'error',
    says: /login page/
  },
  'an empty 200': {
    then: { type: 'malformed', body: 'empty' },
    outcome: 'error',
    says: /empty body/
  },
  null: {
    then: { type: 'malformed', body: 'null' },
    outcome: 'error',
    says: /without|not a monitor/
  },
  'the wrong content type': {
    then: { type: 'malformed', body: 'content-type' },
    outcome: 'error',
    says: /text\/plain/
  },
  'revoked keys': {
    then: { type: 'auth' },
    outcome: 'forbidden',
    says: /application key needs the permission/
  }
}

const write = { method: 'POST', path: '/api/v1/notebooks' }
const odd = ['unknown_enum', 'extra_field', 'int64_id', 'after_null', 'duplicate_item']
const cases: Record<string, Case> = {
  ...Object.fromEntries(
    Object.entries(breaking).map(([name, { then }]) => [
      `part: ${name}`,
      {
        mends: false,
        faults: ['/api/v2/events', '/api/v2/logs'].map(path => ({ match: { path }, then }))
      }
    ])
  ),
  ...Object.fromEntries(
    Object.entries(breaking).map(([name, { then }]) => [
      `all: ${name}`,
      { mends: true, faults: [{ then }] }
    ])
  ),
  ...Object.fromEntries(
    odd.map(body => [
      `odd: ${body}`,
      { mends: false, faults: [{ then: { type: 'schema', body } }] }
    ])
  ),
  unwritable: { mends: false, faults: [{ match: write, then: { type: 'auth' } }] },
  partial: { mends: false, faults: [{ match: { path: '/api/v2/' }, then: { type: 'partial' } }] },
  skew: { mends: false, faults: [{ then: { type: 'skew' } }] },
  consistency: { mends: false, faults: [{ then: { type: 'consistency' } }] },
  lost: { mends: false, faults: [{ match: write, then: { type: '5xx', applied: true }, times: 1 }] }
}
const runs = new Map<string, Promise<Run>>()
const steps: (() => Promise<unknown> | unknown)[] = []
type App = Awaited<ReturnType<typeof createTestApp>>

async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 60_000; ;) {
    const found = await ask()
    if (found) return found
    assert.ok(Date.now() < end, `${what} did not end`)
    await sleep(400)
  }
}

/** A Datadog with these faults, and the alert it sends, which names a monitor, a metric, a service and a host. */
async function incident(
  { faults }: Case,
  cycle: number
): Promise<{ simulator: Simulator; alert: object }> {
  const simulator = await createSimulator({ scenario: 's1' })
  steps.push(() => simulator.close())
  const [host] = (await (await clientOf(simulator)).hosts({ filter: '', limit: 1 })).rows
  faults.forEach(fault => simulator.addFault(fault))
  return {
    simulator,
    alert: {
      ...(JSON.parse(simulator.renderWebhook()) as object),
      hostname: host?.name,
      alert_cycle_key: `c${cycle}`
    }
  }
}

const notebooks = (simulator: Simulator): number =>
  simulator.journal().filter(entry => entry.method === 'POST' && entry.path.endsWith('/notebooks'))
    .length

/**
 * Retries wait longer and longer. The account is asked again ten seconds after its outage began, and a question may
 * take twelve: an attempt that still met the outage must not be followed by ones that spend themselves in the pause.
 */
const hasten = (app: App): Promise<unknown> =>
  app
    .db('jobs.job')
    .where({ state: 'retry' })
    .update({
      start_after: app.db.raw(`least(
        start_after,
        case retry_count
          when 0 then created_on + interval '14 seconds'
          else started_on + interval '24 seconds'
        end
      )`)
    })

/** At most so many analyses at once: a crowd of them would meet the deadlines, and not the faults. */
function createTurns(most: number) {
  const waiting: (() => void)[] = []
  let free = most
  return async <T>(run: () => Promise<T>): Promise<T> => {
    if (free === 0) await new Promise<void>(resolve => waiting.push(resolve))
    else free -= 1
    try {
      return await run()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
}
// The ones that wait for a deadline cost nothing meanwhile.
const turn = createTurns(4)
const inTurn = <T>(name: string, run: () => Promise<T>): Promise<T> =>
  /no answer|drip/.test(name) ? run() : turn(run)

async function follow(
  app: App,
  name: string,
  { mends }: Case,
  { simulator, alert, account }: { simulator: Simulator; alert: object; account: string }
): Promise<Run> {
  const get = async (path: string): Promise<Wire> => (await app.call('GET', path)).body
  let eventId = 0
  const analysis = async (): Promise<Wire | undefined> => {
    const { rca: link } = await get(`/v1/webhooks/events/${eventId}`)
    return link && get(link.url)
  }
  const ended = ({ status }: Wire): boolean => ['done', 'failed'].includes(status)
  const first = await inTurn(name, async () => {
    const posted = await app.call('POST', `/v1/webhooks/receive/${account}`, alert)
    eventId = (posted.body as Wire).event_id
    return until(`the first attempt of ${name}`, async () => {
      const read = await analysis()
      return read && (read.error !== null || ended(read)) && read
    })
  })
  const notebooksFirst = notebooks(simulator)
  if (mends) simulator.reset()
  const last = await until(name, async () => {
    await hasten(app)
    const read = await analysis()
    return read && ended(read) && read
  })
  return { simulator, first, last, notebooksFirst }
}

async function startAll(): Promise<void> {
  const context = {
    after: (step: () => Promise<unknown>) => {
      steps.unshift(step)
    },
    diagnostic: () => {},
    passed: true
  } as unknown as TestContext
  const incidents: {
    name: string
    one: Case
    simulator: Simulator
    alert: object
    account: string
  }[] = []
  for (const [name, one] of Object.entries(cases))
    incidents.push({
      name,
      one,
      account: `account-${incidents.length}`,
      ...(await incident(one, incidents.length))
    })
  const accounts = incidents.map(({ simulator, account }, index) => ({
    ...simulator.accounts[0],
    name: account,
    orgId: 1000 + index
  }))
  const app = await createTestApp(context, {
    plugins: [demo, rca, webhooks, proxy],
    env: {
      RAYNE_ROLE: 'web,worker',
      RAYNE_RCA_CONCURRENCY: '64',
      RAYNE_DEMO_ACCOUNTS: JSON.stringify(accounts)
    }
  })
  for (const found of incidents) runs.set(found.name, follow(app, found.name, found.one, found))
  await Promise.allSettled(runs.values())
}

async function runOf(name: string): Promise<Run & { slot: Record<string, Slot> }> {
  const run = await runs.get(name)
  assert.ok(run)
  return {
    ...run,
    slot: Object.fromEntries((run.first.report?.evidence ?? []).map(slot => [slot.slot, slot]))
  }
}

describe('an analysis and the faults of Datadog', () => {
  before(startAll)
  after(async () => {
    for (const step of steps) await step()
  })

  for (const [name, { outcome, says }] of Object.entries(breaking)) {
    test(`Rayne must report what it could not read, and never call it empty: ${name}`, async () => {
      const { last, slot, simulator } = await runOf(`part: ${name}`)
      assert.equal(last.status, 'done', last.error ?? '')
      for (const broken of [slot['changes'], slot['logs']]) {
        assert.equal(broken?.outcome, outcome, broken?.note ?? '')
        assert.match(broken?.note ?? '', says)
      }
      assert.deepEqual(
        [slot['monitor']?.outcome, slot['metric']?.outcome, slot['hosts']?.outcome],
        ['rows', 'rows', 'rows']
      )
      assert.match(
        last.report?.summary ?? '',
        /2 of 10 questions to Datadog failed \(changes, logs\)/
      )
      assert.equal(notebooks(simulator), 1)
    })

    if (outcome !== 'forbidden')
      test(`Rayne must try again later, and then get the report: ${name}`, async () => {
        const { first, last, slot, simulator, notebooksFirst } = await runOf(`all: ${name}`)
        assert.match(first.error ?? '', /no question to Datadog was answered/)
        assert.equal(Object.keys(slot).length, 5)
        for (const one of Object.values(slot))
          assert.ok(one.outcome === 'error' && says.test(one.note ?? ''), JSON.stringify(one))
        assert.equal(notebooksFirst, 0)
        assert.deepEqual(
          [last.status, last.error, last.report?.verdict, notebooks(simulator)],
          ['done', null, 'suspected_change', 1]
        )
        assert.ok(last.attempt >= 2)
      })
  }

  test('Rayne must say that its keys were revoked and not try for ever', async () => {
    const { last, slot } = await runOf('all: revoked keys')
    assert.deepEqual(
      Object.values(slot).map(one => one.outcome),
      Array(5).fill('forbidden')
    )
    assert.deepEqual([last.status, last.attempt], ['failed', 1])
    assert.match(last.error ?? '', /notebooks_write/)
  })

  test('Rayne must keep its report when the keys are revoked before the notebook is written', async () => {
    const { last } = await runOf('unwritable')
    assert.deepEqual([last.status, last.report?.verdict], ['failed', 'suspected_change'])
    assert.match(last.error ?? '', /the notebook was not made: .*notebooks_write/)
  })

  test('Rayne must show in the report that an answer is partial', async () => {
    const { last, slot } = await runOf('partial')
    assert.equal(last.status, 'done')
    for (const half of [slot['changes'], slot['logs']]) {
      assert.notEqual(half?.outcome, 'empty')
      assert.match(half?.note ?? '', /ran out of time and answered in part/)
    }
  })

  for (const name of [...odd.map(body => `odd: ${body}`), 'skew', 'consistency']) {
    test(`Rayne must come to the same verdict with answers that are odd but readable: ${name}`, async () => {
      const { last, simulator } = await runOf(name)
      assert.deepEqual(
        [last.status, last.report?.verdict, notebooks(simulator)],
        ['done', 'suspected_change', 1]
      )
    })
  }

  test('Rayne must make one notebook when the answer to the first was lost', async () => {
    const { last, simulator } = await runOf('lost')
    assert.deepEqual([last.status, last.attempt, notebooks(simulator)], ['done', 2, 1])
  })
})
