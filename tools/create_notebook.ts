import { Type } from '../core/index.ts'
import { defineGuarded } from './kit/guarded.ts'
import { readWindow, Window } from './kit/window.ts'

const Cell = Type.Union([
  Type.Object(
    { type: Type.Literal('markdown'), text: Type.String({ minLength: 1, maxLength: 20_000 }) },
    { additionalProperties: false }
  ),
  Type.Object(
    {
      type: Type.Literal('timeseries'),
      title: Type.String({ maxLength: 300 }),
      query: Type.String({ minLength: 1, maxLength: 2_000 })
    },
    { additionalProperties: false }
  )
])

export default defineGuarded({
  name: 'create_notebook',
  title: 'Write a notebook',
  effect: 'write',
  description: [
    'Writes a new Datadog notebook of texts and graphs over one window. Use it to hand findings to people. It cannot',
    'change a notebook.'
  ],
  input: {
    name: Type.String({ minLength: 1, maxLength: 80 }),
    cells: Type.Array(Cell, { minItems: 1, maxItems: 50 }),
    ...Window
  },
  example: {
    name: 'Checkout errors',
    cells: [{ type: 'markdown', text: '# What happened' }],
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z'
  },
  plan({ name, cells, ...input }, { account, signal }) {
    const window = readWindow(input)
    const texts = cells.map(cell => (cell.type === 'markdown' ? cell.text : cell.query))
    return Promise.resolve({
      says: `write the notebook "${name}" of ${cells.length} cells: ${texts.join(' | ').slice(0, 2_000)}`,
      async make() {
        const { id, url } = await account.createNotebook({ name, cells, window }, { signal })
        return { result: `notebook ${id}`, link: url }
      }
    })
  }
})
