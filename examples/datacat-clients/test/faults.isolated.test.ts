import assert from 'node:assert/strict'
import test from 'node:test'
import { clientNames, findClient } from '../harness/clients.ts'
import { createDatacatServer } from '../harness/server.ts'
import { faults } from '../faults/faults.ts'
import { isRight, runFaultTable, tableText } from '../faults/table.ts'

for (const name of clientNames) {
  const found = findClient(name)
  const missing = 'missing' in found ? found.missing : false
  test(
    `thirty faults between the ${name} client and its server lose nothing`,
    { skip: missing },
    async t => {
      const server = await createDatacatServer()
      t.after(() => server.remove())
      await server.start()
      const cells = await runFaultTable(server.url, [name])
      assert.ok(Object.keys(faults).length >= 30)
      assert.equal(cells.length, Object.keys(faults).length * (name === 'go' ? 1 : 2))
      assert.deepEqual(
        cells.filter(cell => !isRight(cell)),
        [],
        tableText(cells)
      )
    }
  )
}
