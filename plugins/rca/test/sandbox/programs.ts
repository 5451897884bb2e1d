/** How a hostile program may end: it fails in this way, or answers and has got nothing. */
export type End = 'nothing' | 'threw' | 'timeout' | 'memory' | 'output-limit' | 'crashed'
export interface Program {
  readonly id: string
  readonly code: string
  readonly ends: readonly End[]
}

export interface Bait {
  readonly secretFile: string
  readonly newFile: string
  readonly parentPid: number
  readonly tcpPort: number
  readonly udpPort: number
  readonly socketPath: string
}

/** A program that tries an expression and says what came of it. */
const tries = (expression: string): string =>
  `export default async function run(input, ctx) {
     const got = await (${expression})
     return { got: typeof got === 'function' ? 'a function' : String(got) }
   }`
const attempt = (id: string, expression: string): Program => ({
  id,
  code: tries(expression),
  ends: ['threw']
})
const harmless = (id: string, expression: string): Program => ({
  id,
  code: tries(expression),
  ends: ['nothing', 'threw']
})
const program = (id: string, body: string, ...ends: End[]): Program => ({
  id,
  code: `export default async function run(input, ctx) { ${body} }`,
  ends
})

/** Authority: files, environment, processes, network. */
const authority = (bait: Bait): Program[] => [
  attempt('FS01', `import('node:fs').then(fs => fs.readFileSync('${bait.secretFile}', 'utf8'))`),
  attempt('FS02', `require('fs').readFileSync('${bait.secretFile}', 'utf8')`),
  attempt('FS03', `process.binding('fs')`),
  attempt('FS04', `process.getBuiltinModule('fs')`),
  attempt('FS05', `import('node:module').then(m => m.createRequire('/')('fs'))`),
  attempt('FS05b', `module.constructor._load('fs')`),
  attempt('FS06', `import('${bait.secretFile}.link')`),
  attempt('FS07', `import('node:fs').then(fs => fs.readFileSync('/proc/self/environ', 'utf8'))`),
  attempt('FS08', `import('/proc/${bait.parentPid}/environ')`),
  attempt('FS09', `import('node:fs').then(fs => fs.writeFileSync('${bait.newFile}', 'x'))`),
  attempt('FS10', `import('node:fs').then(fs => fs.appendFileSync('child.ts', '//'))`),
  attempt('FS11', `std.open('${bait.secretFile}', 'r')`),
  attempt('FS12', `import('std').then(std => std.loadFile('${bait.secretFile}'))`),
  attempt('FS13', `import('os').then(os => os.readdir('/'))`),
  attempt('ENV1', 'process.env.RAYNE_CANARY'),
  attempt('ENV2', 'process.report.getReport()'),
  attempt('ENV3', `import('v8').then(v8 => v8.writeHeapSnapshot())`),
  attempt('EX01', `import('node:child_process').then(one => one.execSync('id'))`),
  attempt('EX02', `import('node:cluster').then(one => one.fork())`),
  attempt('EX03', `new Worker('1', { eval: true })`),
  attempt('EX04', `import('node:inspector').then(one => one.open())`),
  attempt('EX05', `process.dlopen({}, '/lib/x86_64-linux-gnu/libc.so.6')`),
  attempt('EX06', `process.kill(process.ppid, 'SIGKILL')`),
  attempt('EX07', 'process.setuid(0)'),
  attempt('NET1', `fetch('http://169.254.169.254/latest/meta-data/')`),
  attempt('NET1b', `fetch('http://[::ffff:a9fe:a9fe]/')`),
  attempt('NET2', `import('node:net').then(net => net.connect(${bait.tcpPort}, '127.0.0.1'))`),
  attempt('NET2b', `new WebSocket('ws://127.0.0.1:${bait.tcpPort}')`),
  attempt('NET2c', `fetch('http://127.0.0.1:${bait.tcpPort}/')`),
  attempt(
    'NET3',
    `import('node:dgram').then(one => one.createSocket('udp4').send('x', ${bait.udpPort}))`
  ),
  attempt('NET4', `import('node:net').then(net => net.connect('${bait.socketPath}'))`),
  attempt('NET5', `import('node:dns').then(dns => dns.lookup('secret.example.com', () => {}))`),
  attempt('NET6', `ctx.datadog.get('/../../evil')`),
  attempt('NET7', `ctx.datadog.get('https://169.254.169.254/', { body: 'secret' })`),
  attempt('NET8', 'new XMLHttpRequest()')
]

/** Realm: any object that is the host's. Those that answer at all answer with their own world. */
const realm: Program[] = [
  attempt('RE01', `this.constructor.constructor('return process')()`),
  attempt('RE01b', `globalThis.constructor.constructor('return process')().env.RAYNE_CANARY`),
  attempt('RE02', `input.constructor.constructor('return process.env.RAYNE_CANARY')()`),
  attempt('RE03', `ctx.datadog.get.constructor('return process')().env.RAYNE_CANARY`),
  program(
    'RE04',
    `const deep = () => deep()
     try { deep() } catch (error) { return { got: error.constructor.constructor('return typeof process')() } }`,
    'nothing',
    'memory'
  ),
  program(
    'RE05',
    `Error.prepareStackTrace = (_, frames) => frames.map(one => String(one.getFileName?.() ?? one))
     const stack = new Error('x').stack
     return { got: String(stack) }`,
    'nothing'
  ),
  attempt('RE06', `import('x').constructor.constructor('return process')()`),
  program(
    'RE07',
    `class Sly extends Promise {
       static get [Symbol.species]() { return function (go) { go(() => {}, () => {}); this.x = 1 } }
     }
     return { got: String(await new Sly(resolve => resolve(1))) }`,
    'nothing',
    'threw'
  ),
  attempt('RE08', `Object.getPrototypeOf(async () => {}).constructor('return process')()`),
  attempt(
    'RE08b',
    `Object.getPrototypeOf(function* () {}).constructor('return process')().next().value`
  ),
  program(
    'RE09',
    `return new Proxy({ a: 1 }, { get: (target, key) => key === 'a' ? 'trap' : undefined, ownKeys: () => ['a'],
       getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true, value: 1 }) })`,
    'nothing',
    'threw'
  ),
  program(
    'RE10',
    `return { [Symbol.for('nodejs.util.inspect.custom')]: () => { throw new Error('inspected') }, a: 1 }`,
    'nothing'
  ),
  harmless(
    'RE11',
    `new SuppressedError(new Error('a'), new Error('b')).constructor.constructor('return typeof process')()`
  ),
  harmless(
    'RE12',
    `Array.fromAsync([Promise.resolve(1)]).then(all => all.constructor.constructor('return typeof process')())`
  ),
  attempt('RE13', 'new WebAssembly.Module(new Uint8Array(8))'),
  harmless('RE14', `(0, \\u0065val)('typeof proc' + 'ess')`),
  harmless('RE14b', `new Function('with (this) { return typeof process }')()`),
  attempt(
    'RE14c',
    `(function () { return arguments.callee.caller.constructor('return process')() })()`
  ),
  attempt('RE15', `ask('/api/v1/validate', '{}')`)
]

/** Integrity: what a program leaves behind, and what it answers. */
const integrity: Program[] = [
  program('IN01', `Object.prototype.polluted = 'yes'; return { got: 1 }`, 'nothing'),
  program(
    'IN02',
    `input.__proto__.polluted = 'yes'; input.constructor.prototype.more = 1; return { got: 1 }`,
    'nothing'
  ),
  program(
    'IN03',
    `JSON.stringify = () => '{"got":"forged"}'; JSON.parse = () => 1; Promise.prototype.then = null; return { got: 1 }`,
    'nothing',
    'threw'
  ),
  program('IN04a', `return { then: resolve => resolve({ got: 1 }) }`, 'nothing'),
  program('IN04b', `return { toJSON: () => ({ got: 1 }) }`, 'nothing'),
  program('IN04c', `return { got: 1n }`, 'threw'),
  program('IN04d', `const ring = {}; ring.ring = ring; return ring`, 'threw'),
  program('IN04e', `return undefined`, 'threw'),
  program('IN04f', `return () => 1`, 'threw'),
  program('IN04g', `return { get got() { throw new Error('read') } }`, 'threw'),
  program('IN05', `print('{"kind":"done","nonce":"x","text":"1"}'); return { got: 1 }`, 'threw'),
  program('IN05b', `console.log('{"kind":"done"}'); return { got: 1 }`, 'threw'),
  program(
    'IN12',
    `return { got: String(eval((await ctx.datadog.get('/api/v1/validate')).code ?? '1')) }`,
    'threw'
  ),
  program('IN13', `return await ctx.tools.execute('approve', {})`, 'threw')
]

/** Availability: time, memory, size; each ends within its limit. */
const availability: Program[] = [
  program('AV01', 'for (;;) {}', 'timeout'),
  program('AV01b', 'while (true) JSON.parse("[" + "1,".repeat(1000) + "1]")', 'timeout'),
  program('AV02', 'for (;;) await null', 'timeout'),
  program(
    'AV02b',
    'const again = () => Promise.resolve().then(again); await again()',
    'timeout',
    'memory'
  ),
  program(
    'AV03',
    `return { got: /^(a+)+$/.test('a'.repeat(40) + 'b') }`,
    'timeout',
    'nothing',
    'threw',
    'memory'
  ),
  program(
    'AV04',
    'const all = []; for (;;) all.push(new Array(1e5).fill(all.length))',
    'memory',
    'timeout',
    'threw'
  ),
  program('AV04b', 'let text = "x"; for (;;) text += text', 'memory', 'timeout', 'threw'),
  program(
    'AV05',
    'const all = []; for (;;) all.push(new Uint8Array(1e6))',
    'memory',
    'timeout',
    'threw'
  ),
  program('AV06', `return 'x'.repeat(2e7)`, 'output-limit', 'memory'),
  program(
    'AV06b',
    'let deep = {}; for (let n = 0; n < 2e5; n++) deep = { deep }; return deep',
    'memory',
    'threw',
    'crashed',
    'output-limit'
  ),
  program('AV06c', `throw new Error('x'.repeat(1e7))`, 'threw', 'memory'),
  program(
    'AV06d',
    `throw { toString() { for (;;) {} }, get message() { for (;;) {} } }`,
    'threw',
    'timeout',
    'memory'
  ),
  program('AV07', 'await new Promise(() => {})', 'threw'),
  program('AV07b', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60000)', 'threw'),
  program('AV08', `Promise.reject(new Error('nobody')); return { got: 1 }`, 'nothing'),
  program('AV08b', `setTimeout(() => { throw new Error('late') }, 1); return { got: 1 }`, 'threw'),
  program(
    'AV09',
    `new FinalizationRegistry(() => { for (;;) {} }).register({}, 1); return { got: 1 }`,
    'nothing',
    'threw'
  ),
  program(
    'AV10',
    'for (let n = 0; n < 1e6; n++) await ctx.datadog.get("/api/v1/validate")',
    'threw'
  ),
  program(
    'AV10b',
    'await Promise.all(Array.from({ length: 500 }, () => ctx.datadog.get("/api/v1/validate")))',
    'threw',
    'memory'
  ),
  program('AV11', 'const deep = () => deep(); deep()', 'memory'),
  program(
    'AV12',
    `return { got: [].concat(...Array(1e6).fill([1])).length }`,
    'memory',
    'threw',
    'timeout',
    'crashed'
  ),
  { id: 'AV13', code: 'for (;;) {}', ends: ['timeout'] },
  { id: 'AV14', code: '(', ends: ['threw'] },
  { id: 'AV15', code: 'export const run = 1', ends: ['threw'] },
  {
    id: 'AV16',
    code: 'await new Promise(() => {}); export default () => 1',
    ends: ['threw', 'timeout']
  }
]

/** Programs that want out, by the classes of the published table, and siblings of them. */
export const hostilePrograms = (bait: Bait): Program[] => [
  ...authority(bait),
  ...realm,
  ...integrity,
  // On a machine that is late a program may run out of time before it runs out of anything else.
  ...availability.map(({ ends, ...rest }) => ({ ...rest, ends: [...ends, 'timeout' as const] }))
]
