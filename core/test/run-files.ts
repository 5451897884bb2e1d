import path from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

// Node without isolation forgets a file that throws while it is imported, once it has registered a test: so the files
// are imported here.
for (const file of JSON.parse(process.env['RAYNE_TEST_FILES'] ?? '[]') as string[]) {
  try {
    await import(pathToFileURL(path.resolve(file)).href)
  } catch (error) {
    test(`${file} can be imported`, () => {
      throw error
    })
  }
}
