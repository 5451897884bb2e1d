import { RayneError, type Knex, type Logger, type Principal } from '../../../core/index.ts'
import { rcaErrors } from '../contract.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import {
  writtenStore,
  type ExampleRun,
  type WrittenRow,
  type WrittenState
} from '../store/written-tools.ts'
import { checkProposal, hashOf, type Example, type Problem, type Proposal } from './proposal.ts'
import { prepareTool, type ReadDatadog } from './run-tool.ts'

export interface LifecycleOptions {
  readonly db: Knex
  readonly log: Logger
  readonly sandbox: Sandbox
  /** Names nobody may take: those of tools in files and of plugins. */
  reserved(): Promise<readonly string[]>
  /** Reads the simulated account, for examples without recorded answers; undefined when there is none. */
  readonly readSimulated: () => Promise<ReadDatadog | undefined>
  /** Whether a proposal that passed may be served without a person: in development alone. */
  readonly autoApprove: boolean
  /** Called after whatever may change what is served. */
  readonly changed: () => void
}

const examplesMs = 60_000
const answerShown = 2_000

/** What a version is and how it got there: proposed, tested, approved by a person, served, taken back. */
export function createLifecycle(options: LifecycleOptions) {
  const { db, log, sandbox, changed } = options
  const tell = (row: WrittenRow, by: string, what: string): void =>
    log.info({ tool: row.name, version: row.version, hash: row.hash, by }, `written tool: ${what}`)

  async function test(proposal: Proposal): Promise<ExampleRun[]> {
    const call = prepareTool(proposal)
    const simulated = await options.readSimulated()
    const signal = AbortSignal.timeout(examplesMs)
    const runs: ExampleRun[] = []
    for (const example of proposal.examples) {
      const read = recorded(example) ?? simulated ?? nothingRecorded
      const started = performance.now()
      const took = (): number => Math.round(performance.now() - started)
      try {
        const text = JSON.stringify(await call(sandbox, example.input, read, signal))
        const answer = text.slice(0, answerShown)
        runs.push({ passed: true, took_ms: took(), message: null, answer })
      } catch (error) {
        const message = error instanceof Error ? error.message : 'it failed'
        runs.push({ passed: false, took_ms: took(), message, answer: null })
      }
    }
    return runs
  }

  async function find(name: string, version?: number): Promise<WrittenRow> {
    const versions = await writtenStore.versions(db, name)
    const row = version === undefined ? versions[0] : versions.find(one => one.version === version)
    if (row) return row
    throw new RayneError({
      code: rcaErrors['written-tool-not-found'],
      message:
        versions.length === 0
          ? `no tool was written with the name '${name}'; GET /v1/rca/written-tools lists them`
          : `'${name}' has the versions ${versions.map(one => one.version).join(', ')}`
    })
  }

  async function serve(row: WrittenRow, hash: string, by: string): Promise<WrittenRow> {
    if (row.hash !== hash || hashOf(row.proposal) !== hash)
      throw state(row, `has the hash ${row.hash}: it is not what you looked at`)
    const served = await db.transaction(async trx => {
      await writtenStore.retire(trx, row.name, `version ${row.version} took its place`)
      const approval = { approved_by: by, approved_hash: hash, approved_at: new Date(), note: null }
      const moved = await writtenStore.move(trx, {
        id: row.id,
        from: ['tested'],
        to: 'canary',
        ...approval
      })
      if (!moved) throw state(row, `is ${row.state}: only a tested one is approved`)
      return moved
    })
    changed()
    tell(served, by, 'approved')
    return served
  }

  const decisions = createDecisions({ options, find, serve, tell })
  return {
    find,
    /** Whether this machine takes proposals. */
    writable: async (): Promise<boolean> => (await sandbox.standing()).level !== undefined,
    list: (): Promise<WrittenRow[]> => writtenStore.list(db, 500),
    versions: (name: string): Promise<WrittenRow[]> => writtenStore.versions(db, name),

    /** Checks, runs the examples in the sandbox and keeps the version; throws `invalid-input` naming each field. */
    async propose(proposal: Proposal, author: string): Promise<WrittenRow> {
      await standing(sandbox)
      const { problems, warnings } = checkProposal(proposal, await options.reserved())
      if (problems.length > 0) throw refused(problems)
      const tests = await test(proposal)
      const passed = tests.every(one => one.passed)
      const hash = hashOf(proposal)
      const checked = { state: passed ? 'tested' : 'draft', tests, warnings } as const
      const row = await writtenStore.add(db, { proposal, hash, author, ...checked })
      tell(row, author, `proposed, ${row.state}`)
      const unseen = options.autoApprove && row.state === 'tested' && warnings.length === 0
      return unseen ? serve(row, hash, 'the policy of this development machine') : row
    },

    /** Runs the examples again; a version that is not served moves between draft and tested by them. */
    async test(name: string, version?: number): Promise<WrittenRow> {
      await standing(sandbox)
      const row = await find(name, version)
      if (!['draft', 'tested'].includes(row.state))
        return { ...row, tests: await test(row.proposal) }
      const { warnings, problems } = checkProposal(row.proposal, await options.reserved())
      if (problems.length > 0) throw refused(problems)
      const tests = await test(row.proposal)
      const passed = tests.every(one => one.passed) && hashOf(row.proposal) === row.hash
      const checked = { state: passed ? 'tested' : 'draft', tests, warnings } as const
      return (await writtenStore.checked(db, row.id, checked)) ?? row
    },

    ...decisions
  }
}
export type Lifecycle = ReturnType<typeof createLifecycle>

interface Deciding {
  readonly options: LifecycleOptions
  find(name: string, version?: number): Promise<WrittenRow>
  serve(row: WrittenRow, hash: string, by: string): Promise<WrittenRow>
  tell(row: WrittenRow, by: string, what: string): void
}

/** What people decide; what is served may be taken back by programs too. */
function createDecisions({ options: { db, changed }, find, serve, tell }: Deciding) {
  return {
    /** Serves a tested version, when its hash is the one that was looked at. */
    async approve(name: string, version: number, hash: string, by: Principal): Promise<WrittenRow> {
      refuseTokens(by)
      return serve(await find(name, version), hash, by.name)
    },

    async reject(name: string, version: number, why: string, by: Principal): Promise<WrittenRow> {
      const row = await find(name, version)
      const from: WrittenState[] = ['draft', 'tested', 'canary', 'active', 'quarantined']
      const moved = await writtenStore.move(db, {
        id: row.id,
        from,
        to: 'rejected',
        note: why || null
      })
      if (!moved) throw state(row, `is ${row.state} already`)
      changed()
      tell(moved, by.name, 'rejected')
      return moved
    },

    /** Puts the version that was served before back in the place of the one that is, or takes the only one away. */
    async rollBack(name: string, by: Principal): Promise<WrittenRow> {
      const versions = await writtenStore.versions(db, name)
      const current = versions.find(one => ['canary', 'active', 'quarantined'].includes(one.state))
      if (!current) throw state(await find(name), 'is not served, so there is nothing to take back')
      const before = versions.find(
        one =>
          one.state === 'retired' && one.approved_hash === one.hash && one.version < current.version
      )
      const after = await db.transaction(async trx => {
        const note = `rolled back by ${by.name}`
        const gone = await writtenStore.move(trx, {
          id: current.id,
          from: [current.state],
          to: 'retired',
          note
        })
        const back =
          before &&
          (await writtenStore.move(trx, { id: before.id, from: ['retired'], to: 'active' }))
        return back ?? gone ?? current
      })
      changed()
      tell(after, by.name, 'rolled back')
      return after
    }
  }
}

const refuseTokens = ({ kind }: Principal): void => {
  if (kind === 'user' || kind === 'local') return
  throw new RayneError({
    code: rcaErrors['approved-by-people'],
    message:
      'log in as a person to decide on written tools: a token does not approve what programs wrote'
  })
}

async function standing(sandbox: Sandbox): Promise<void> {
  const { refused: why } = await sandbox.standing()
  if (why !== undefined)
    throw new RayneError({ code: rcaErrors['sandbox-unavailable'], message: why })
}

const state = (row: WrittenRow, why: string): RayneError =>
  new RayneError({
    code: rcaErrors['written-tool-state'],
    message: `${row.name} version ${row.version} ${why}`
  })

const refused = (problems: readonly Problem[]): RayneError =>
  new RayneError({
    code: 'invalid-input',
    message: problems.map(({ field, message }) => `/body/${field} ${message}`).join('; '),
    details: {
      errors: problems.map(({ field, message }) => ({ pointer: `/body/${field}`, message }))
    }
  })

/** Datadog as an example recorded it; a path it does not hold is refused. */
function recorded({ recorded: answers }: Example): ReadDatadog | undefined {
  if (answers === undefined) return undefined
  return path => {
    const found = answers.find(one => one.path === path)
    return found
      ? Promise.resolve(structuredClone(found.answer))
      : Promise.reject(new Error(`the example has no recorded answer for '${path.slice(0, 200)}'`))
  }
}

const nothingRecorded: ReadDatadog = () =>
  Promise.reject(new Error('there is no simulated account, so the example needs recorded answers'))
