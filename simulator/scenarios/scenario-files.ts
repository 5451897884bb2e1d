import { readdirSync } from 'node:fs'

const folder = new URL('./', import.meta.url)

/** The scenarios that come with the simulator, by name; each is a file of this folder. */
export const scenarioNames = (): string[] =>
  readdirSync(folder)
    .filter(file => file.endsWith('.json') && file !== 'schema.json')
    .map(file => file.slice(0, -'.json'.length))
    .toSorted()
