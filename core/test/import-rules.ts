import type { Import, SourceFile } from './source-files.ts'

/** npm packages that only one place may import, and why; `types` says who else may import their types. */
const owners: readonly {
  readonly package: RegExp
  readonly in: RegExp
  readonly types?: RegExp
  readonly why: string
}[] = [
  {
    package: /^@datadog\/datadog-api-client$/,
    in: /^plugins\/datadog-proxy\//,
    why: 'one Datadog client, lazily imported'
  },
  {
    package: /^undici$/,
    in: /^plugins\/datadog-proxy\//,
    why: 'one place knows of the proxy on the way to Datadog'
  },
  { package: /^@anthropic-ai\/sdk$/, in: /^plugins\/rca\//, why: 'one place talks to the model' },
  {
    package: /^@modelcontextprotocol\//,
    in: /^(?:plugins\/rca|examples)\//,
    why: 'one MCP server; examples show a client'
  },
  {
    package: /^nodemailer$/,
    in: /^plugins\/notify\//,
    why: 'one channel of messages'
  },
  {
    package: /^standardwebhooks$/,
    in: /^plugins\/(?:notify|webhooks)\//,
    why: 'signatures of what is sent and received'
  },
  { package: /^@qdrant\//, in: /^plugins\/rca\//, why: 'behind the VectorStore contract' },
  {
    package: /^ajv(?:-formats)?$/,
    in: /^(?:core\/schema\.ts$|simulator\/)/,
    why: 'one validator; the simulator stands alone'
  },
  { package: /^pg-boss$/, in: /^core\/jobs\.ts$/, why: 'one job queue' },
  {
    package: /^(?:koa|@koa\/router|raw-body)$/,
    in: /^core\/http\//,
    why: 'ctx stays inside core/http'
  },
  {
    package: /^knex$/,
    in: /^core\/db\//,
    types: /^core\//,
    why: 'one pool; plugins take the type from core/index.ts'
  },
  { package: /^pg$/, in: /^core\/(?:db\/|testing\.ts$)/, why: 'one place opens connections' },
  { package: /^pino(?:-pretty)?$/, in: /^core\/log\.ts$/, why: 'one choke point for redaction' },
  {
    package: /^jsonrepair$/,
    in: /^plugins\/webhooks\//,
    why: 'Datadog templates send broken JSON'
  },
  {
    package: /^markdown-it$/,
    in: /^(?:simulator\/|plugins\/rca\/test\/)/,
    why: 'the simulated notebook page, and what a notebook of ours is rendered as'
  },
  {
    package: /^(?:preact|preact-render-to-string|htmx\.org|uplot)$/,
    in: /^plugins\/[^/]+\/(?:pages(?:\.tsx?$|\/)|static\/)/,
    why: 'pages only'
  },
  {
    package: /^(?:quickjs-emscripten-core|@jitl\/quickjs-.*)$/,
    in: /^plugins\/rca\/sandbox\//,
    why: 'the sandbox of tools written at run time'
  },
  {
    package: /^acorn$/,
    in: /^plugins\/rca\/written\//,
    why: 'what the source of a written tool names'
  }
]

/** Files that may import what they compute at run time. */
const loaders = ['core/load.ts', 'core/bin.js']

const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
const isContract = (file: string): boolean => /^plugins\/[^/]+\/contract\.ts$/.test(file)
const isApi = (file: string): boolean => file === 'core/index.ts'
const testOf = /(?:^|\/)test\/|\.test\.tsx?$/

/** Why this file may not import that, or undefined: the table of the architecture, row by row. */
export function refusal(file: SourceFile, one: Import): string | undefined {
  if (file.isTest || file.path.startsWith('bench/')) return undefined
  if (one.specifier === '(computed)')
    return loaders.includes(file.path) ? undefined : 'only the loader imports what it computes'
  if (one.specifier.startsWith('node:'))
    return /^(?:tools\/auto\/|plugins\/[^/]+\/contract\.ts$)/.test(file.path)
      ? 'a leaf imports core/index.ts and contracts'
      : undefined
  return one.target === undefined ? refusePackage(file, one) : refuseFile(file.path, one.target)
}

function refusePackage(
  { path: file }: SourceFile,
  { specifier, typeOnly }: Import
): string | undefined {
  const name = packageOf(specifier)
  if (file.startsWith('examples/')) return undefined
  const owner = owners.find(entry => entry.package.test(name))
  if (owner)
    return (owner.in.test(file) && !isContract(file)) || (typeOnly && owner.types?.test(file))
      ? undefined
      : `'${name}' has one owner: ${owner.why}`
  return file.startsWith('core/')
    ? undefined
    : `'${name}' is not a package this folder owns; give it an owner and a reason in core/test/import-rules.ts`
}

const isSimulator = (file: string): boolean => file.startsWith('simulator/')

/** What each part of the tree may import, in the order they are looked for, and the sentence for all else. */
const fileRules: readonly {
  readonly from: RegExp
  readonly may: (target: string, file: string) => boolean
  readonly else: string
}[] = [
  {
    from: /^core\//,
    may: target => target.startsWith('core/') && target !== 'core/testing.ts',
    else: 'core imports npm packages and core only'
  },
  {
    from: /^examples\//,
    may: (target, file) =>
      isApi(target) ||
      target === 'core/testing.ts' ||
      isContract(target) ||
      isSimulator(target) ||
      target.startsWith(`${folderOf(file)}/`),
    else: 'an example imports what a stranger could: core/index.ts, core/testing.ts, contracts and the simulator'
  },
  {
    from: /^tools\/auto\//,
    may: isApi,
    else: 'a tool written at run time imports the tool API only'
  },
  { from: /^simulator\//, may: isSimulator, else: 'the simulator stands alone' },
  {
    from: /^plugins\/[^/]+\/contract\.ts$/,
    may: (target, file) =>
      isApi(target) ||
      isContract(target) ||
      (target.startsWith(`${folderOf(file)}/`) && /\/contract-\w+\.ts$/.test(target)),
    else: 'a contract imports core/index.ts and other contracts only'
  },
  {
    from: /^tools\//,
    may: target => isApi(target) || isContract(target) || target.startsWith('tools/kit/'),
    else: 'a tool imports core/index.ts and contracts only'
  },
  {
    from: /^plugins\/demo\//,
    may: (target, file) => isSimulator(target) || mayPlugin(target, file),
    else: 'a plugin imports core/index.ts, its own folder and contracts of others'
  },
  {
    from: /^plugins\//,
    may: mayPlugin,
    else: 'a plugin imports core/index.ts, its own folder and contracts of others'
  }
]

/** The plugin or example a file is of. */
const folderOf = (file: string): string => file.split('/').slice(0, 2).join('/')

function mayPlugin(target: string, file: string): boolean {
  return isApi(target) || isContract(target) || target.startsWith(`${folderOf(file)}/`)
}

function refuseFile(file: string, target: string): string | undefined {
  if (testOf.test(target)) return 'product code does not import tests'
  if (target.startsWith('plugins/demo/') && !file.startsWith('plugins/demo/'))
    return 'nothing of production knows the demo'
  if (isSimulator(target) && !/^(?:simulator|plugins\/demo|examples)\//.test(file))
    return 'only the demo, tests, measurements and examples import the simulator'
  const rule = fileRules.find(one => one.from.test(file))
  return !rule || rule.may(target, file) ? undefined : rule.else
}
