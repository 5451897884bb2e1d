import { Type, type PluginApp, type Principal } from '../../../core/index.ts'
import { Hash, Name, summaryOf, Version, wholeOf } from '../routes/written-tools.ts'
import type { WrittenRow } from '../store/written-tools.ts'
import type { Lifecycle } from '../written/lifecycle.ts'

const NameAndVersion = Type.Object({ ...Name.properties, version: Version })

/** Whoever has the machine's command line is a person of it. */
const person: Principal = {
  kind: 'local',
  id: 'command-line',
  name: 'the command line',
  role: 'admin',
  scopes: []
}

const line = ({ name, version, state, calls, failures, note }: WrittenRow): string =>
  `${state.padEnd(12)} ${name} ${version}  ${calls} calls, ${failures} failed${note === null ? '' : `: ${note}`}`

const whole = (row: WrittenRow): string[] => [
  line(row),
  `by           ${row.author}`,
  `hash         ${row.hash}`,
  `purpose      ${row.proposal.purpose}`,
  `reads        ${row.proposal.capabilities.join(', ') || 'nothing of Datadog'}`,
  ...row.warnings.map(warning => `look twice   ${warning}`),
  ...row.tests.map(
    ({ passed, took_ms: ms, message, answer }, n) =>
      `example ${n + 1}    ${passed ? 'passed' : 'failed'} in ${ms} ms: ${message ?? answer ?? ''}`
  ),
  '',
  ...row.proposal.source.split('\n')
]

/** `rayne tools …`: what was written at run time, and the decisions about it. */
export function toolCommands(app: PluginApp<unknown>, lifecycle: Lifecycle): void {
  app.command({
    name: 'tools list',
    summary: 'the tools written at run time, the newest version of each',
    async run() {
      const rows = await lifecycle.list()
      const none = 'no tool was written at run time; clients propose one with create_tool'
      return { value: rows.map(summaryOf), lines: rows.length === 0 ? [none] : rows.map(line) }
    }
  })
  app.command({
    name: 'tools show',
    summary: 'one written tool: every version, and the newest whole',
    arguments: Name,
    async run({ name }) {
      const newest = await lifecycle.find(name)
      const versions = await lifecycle.versions(name)
      return {
        value: { name, versions: versions.map(wholeOf) },
        lines: [...whole(newest), '', ...versions.slice(1).map(line)]
      }
    }
  })
  app.command({
    name: 'tools test',
    summary: 'run the examples of a written tool again',
    arguments: Name,
    options: Type.Object({ version: Type.Optional(Version) }),
    async run({ name, version }) {
      const row = await lifecycle.test(name, version)
      const failed = row.tests.some(({ passed }) => !passed)
      return { value: wholeOf(row), lines: whole(row), failed }
    }
  })
  decisionCommands(app, lifecycle)
}

function decisionCommands(app: PluginApp<unknown>, lifecycle: Lifecycle): void {
  const decided = (row: WrittenRow) => ({ value: wholeOf(row), lines: [line(row)] })
  app.command({
    name: 'tools approve',
    summary: 'serve a version of a written tool, by the hash of what you looked at',
    changes: true,
    arguments: NameAndVersion,
    options: Type.Object({ hash: Hash }),
    run: async ({ name, version, hash }) =>
      decided(await lifecycle.approve(name, version, hash, person))
  })
  app.command({
    name: 'tools reject',
    summary: 'turn a version of a written tool down, served or not',
    changes: true,
    arguments: NameAndVersion,
    options: Type.Object({ reason: Type.String({ maxLength: 1_000, default: '' }) }),
    run: async ({ name, version, reason }) =>
      decided(await lifecycle.reject(name, version, reason, person))
  })
  app.command({
    name: 'tools roll-back',
    summary: 'serve the version before again, or none when there is none',
    changes: true,
    arguments: Name,
    run: async ({ name }) => decided(await lifecycle.rollBack(name, person))
  })
}
