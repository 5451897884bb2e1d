import { existsSync } from 'node:fs'
import path from 'node:path'

/** A folder of data that is not in the repository; a test that needs it is skipped where it is not. */
export interface TestData {
  /** The `skip` of `node:test`: false when the data is there, otherwise what is missing and how to give it. */
  readonly skip: string | false
  /** The folder's path; throws the same sentence when it is not there. */
  folder(): string
}

/** What decides where the data is; a test of this file gives its own. */
export interface TestDataPlace {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Where it is looked for without RAYNE_TEST_DATA. */
  readonly besideRepository: string
}

const here: TestDataPlace = {
  env: process.env,
  besideRepository: path.resolve(import.meta.dirname, '../../../shared/data')
}

/** Finds one folder of the data: below RAYNE_TEST_DATA, or beside the repository; with CI=true a missing one fails. */
export function testData(name: string, { env, besideRepository }: TestDataPlace = here): TestData {
  const given = env['RAYNE_TEST_DATA']
  const base = given === undefined || given === '' ? besideRepository : path.resolve(given)
  const folder = path.join(base, name)
  const isThere = existsSync(folder)
  const missing = `there is no folder '${folder}'; set RAYNE_TEST_DATA=DIR to the folder that holds ${name}`
  return {
    skip: isThere || isRequired(env['CI']) ? false : missing,
    folder() {
      if (!isThere) throw new Error(missing)
      return folder
    }
  }
}

const isRequired = (ci: string | undefined): boolean => ci === 'true' || ci === '1'
