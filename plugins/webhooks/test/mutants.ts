import * as fc from 'fast-check'
import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync
} from 'node:zlib'
import { bytesOf, type Fixture } from './fixture.ts'

/** A body nobody wrote by hand, and the headers it comes with. */
export interface Mutant {
  readonly raw: Buffer
  readonly headers: Fixture['headers']
}

const maxBytes = 1_048_576
const bits: readonly string[] = [
  ...`"\\{}[],:\n\0&%='\u202e\ud800`,
  '$ALERT_ID',
  '{{x.name}}',
  '\\u0000',
  '\\ud800',
  'null',
  '9'.repeat(40),
  '}{"',
  '"}\n{"',
  '\\","'
]
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat(12),
  bit: fc.constantFrom('', ...bits),
  times: fc.constantFrom(1, 1, 1, 2, 50),
  byte: fc.nat(255)
})
type Edit = typeof edit extends fc.Arbitrary<infer T> ? T : never

const stems =
  'recover resolv clear clos ok back to normal trigger warn alert no data fail re'.split(' ')
const endings = ['', 'ed', 'ing', 'y', 'e', ' from No Data', ' (Warn)', ' not', ': x', '!', ' → OK']
const word = fc
  .tuple(
    fc.constantFrom('', '[', 'not ', 'Warn ', '✅ ', 'auto-'),
    fc.constantFrom(...stems),
    fc.constantFrom(...endings),
    fc.boolean()
  )
  .map(([before, stem, ending, upper]) => {
    const text = `${before}${stem}${ending}`
    return upper ? text.toUpperCase() : text
  })

/** Puts a text inside or beside something, as senders, proxies and people do. */
const wrap = fc.oneof(
  fc
    .constantFrom('alert', 'data', 'event', 'monitor', 'metadata', 'payload', 'x')
    .map(key => (text: string) => `{${JSON.stringify(key)}:${text}}`),
  fc
    .constantFrom('alert', 'event', 'attributes')
    .map(key => (text: string) => `{"data":{${JSON.stringify(key)}:${text}},"id":"e1"}`),
  fc.constantFrom(
    (text: string) => `[${text}]`,
    (text: string) => JSON.stringify(text),
    (text: string) => `payload=${encodeURIComponent(text)}`,
    (text: string) => `payload=${text}`,
    (text: string) => `Alert: ${text} -- sent by a person`,
    (text: string) => `\0\0${text}\0`,
    (text: string) => `\`\`\`json\n${text}\n\`\`\``,
    (text: string) => `\ufeff${text}`,
    (text: string) => `cb(${text});`,
    (text: string) =>
      `--XX\r\nContent-Disposition: form-data; name="payload"\r\n\r\n${text}\r\n--XX--\r\n`
  )
)
const separator = fc.constantFrom('', '\n', ',', ' ', '\r\n', ';', '\x1e', '\0', ' and ')

const packings: readonly ((bytes: Buffer) => Buffer)[] = [
  gzipSync,
  deflateSync,
  deflateRawSync,
  brotliCompressSync,
  zstdCompressSync,
  bytes => gzipSync(gzipSync(bytes)),
  bytes => Buffer.from(bytes.toString('utf8'), 'utf16le'),
  bytes => Buffer.from(bytes.toString('utf8'), 'utf16le').swap16(),
  bytes => Buffer.from(bytes.toString('utf8'), 'latin1')
]
const codings = [undefined, 'gzip', 'deflate', 'br', 'zstd', 'gzip, br', 'utf-8', 'x', 'identity']
const types = [
  undefined,
  'application/json',
  'application/x-www-form-urlencoded',
  'text/plain; charset=latin1',
  'application/json; charset=utf-16le',
  'multipart/form-data; boundary=XX',
  'application/json; charset=nobody-knows'
]

/** Fixtures, changed: edited, nested, joined to another one, wrapped, packed, with other words and other headers. */
export const mutant = (from: readonly Fixture[]): fc.Arbitrary<Mutant> =>
  fc
    .record({
      fixture: fc.constantFrom(...from),
      second: fc.option(fc.tuple(separator, fc.constantFrom(...from)), { freq: 4 }),
      word: fc.option(word, { freq: 3 }),
      wraps: fc.array(wrap, { maxLength: 2 }),
      edits: fc.array(edit, { maxLength: 6 }),
      packing: fc.option(fc.constantFrom(...packings), { freq: 4 }),
      headers: fc.option(
        fc.record({
          'content-type': fc.constantFrom(...types),
          'content-encoding': fc.constantFrom(...codings)
        })
      )
    })
    .map(({ fixture, second, word: put, wraps, edits, packing, headers }) => {
      const joined = second
        ? Buffer.concat([bytesOf(fixture), Buffer.from(second[0]), bytesOf(second[1])])
        : bytesOf(fixture)
      const said = put === null ? joined : changeWord(joined, put)
      const wrapped = wraps.reduce((bytes, one) => Buffer.from(one(bytes.toString())), said)
      const edited = edits.reduce(mutate, wrapped.subarray(0, maxBytes))
      const packed = packing ? packing(edited.subarray(0, edited.length & ~1)) : edited
      return { raw: packed.subarray(0, maxBytes), headers: headers ?? fixture.headers }
    })

/** Another word in the place of the first that tells of a state. */
function changeWord(bytes: Buffer, other: string): Buffer {
  const text = bytes.toString('utf8')
  const changed = text.replace(
    /(:\s{0,4}")(?:triggered|recovered|alert|warn|ok|no data|resolved)"/i,
    (_, before: string) => `${before}${other}"`
  )
  return changed === text ? bytes : Buffer.from(changed)
}

function mutate(raw: Buffer, { at: share, drop, bit, times, byte }: Edit): Buffer {
  const at = Math.floor(share * raw.length)
  const added = bit === '' ? Buffer.from([byte]) : Buffer.from(bit.repeat(times))
  return Buffer.concat([raw.subarray(0, at), added, raw.subarray(at + drop)])
}
