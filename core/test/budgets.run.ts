import { fileURLToPath } from 'node:url'
import { budgets, measure } from './budgets.ts'
import { exceptions } from './exceptions.ts'
import { readSources } from './source-files.ts'

/** Prints the numbers the budgets bound, of this tree or of the one named, so that two states can be compared. */
const root = process.argv[2] ?? fileURLToPath(new URL('../../', import.meta.url))
const files = readSources(root)
const { core, postgres, casts, findings } = measure(files)
const counted = (what: string, kept: (path: string) => boolean = () => true): number =>
  findings.filter(one => one.what === what && kept(one.path)).length
const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
const tests = new Set(files.filter(file => file.isTest).map(file => file.path))
const isFile = (path: string): boolean => path.includes('.')
const circles = findings.filter(one => one.what === 'circle')

const rows: readonly (readonly [string, string | number])[] = [
  ['files looked at', `${files.length}, ${tests.size} of them of tests`],
  ['core', `${core} lines of ${budgets.core}`],
  ['the PostgreSQL launcher', `${postgres} lines of ${budgets.postgres}`],
  ['files over their lines', counted('lines', path => isFile(path) && !tests.has(path))],
  ['test files over their lines', counted('lines', path => tests.has(path))],
  ['functions over their own lines', counted('own lines')],
  ['functions over their whole lines', counted('whole lines')],
  ['functions too complex', counted('complexity')],
  [
    'lines over their columns',
    sum(findings.filter(one => one.what === 'wide lines').map(one => one.number))
  ],
  ['circles of imports', `${circles.length}, of ${sum(circles.map(one => one.number))} files`],
  ['rooms that are file and folder', counted('twice')],
  [
    'casts',
    `${sum(Object.values(casts))} (${Object.entries(casts)
      .map(([part, number]) => `${part} ${number}`)
      .join(', ')})`
  ],
  ['exceptions', exceptions.length]
]
for (const [what, value] of rows) console.log(`${what.padEnd(34)}${value}`)
