import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Command } from 'commander'
import { incidentTokens } from '../../plugins/rca/service/engine/incident-tokens.ts'
import { createRecall } from '../../plugins/rca/service/engine/recall.ts'
import { print, table, writeJson } from '../figures.ts'
import { readRecords } from './read-csv.ts'
import { configurationHash, inOrder, mean, rateOf, showRate, type Scored } from './score.ts'

interface Incident {
  readonly id: string
  readonly split: string
  readonly tokens: readonly string[]
  readonly rawTokens: readonly string[]
  /** Instance and type: of a past incident its confirmed cause; of a new one for scoring only. */
  readonly cause: string
}

type Events = Readonly<Record<string, readonly (readonly string[])[]>>

function readIncidents(folder: string): Incident[] {
  const read = (file: string): Events =>
    JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as Events
  const [logs, metrics, traces] = [read('logs.json'), read('metrics.json'), read('traces.json')]
  return readRecords(path.join(folder, 'label.csv')).map(row => {
    const id = row['index'] ?? ''
    return {
      id,
      split: row['data_type'] ?? '',
      cause: `${row['instance']} ${row['anomaly_type']}`,
      rawTokens: [logs, metrics, traces].flatMap((events, kind) =>
        (events[id] ?? []).map(event => `${kind} ${event.join(' ')}`)
      ),
      tokens: incidentTokens({
        logs: (logs[id] ?? []).map(([source = '', template = '']) => ({ source, template })),
        metrics: (metrics[id] ?? []).map(([source = '', , metric = '', direction]) => ({
          source,
          metric,
          direction: direction === 'up' ? 'up' : 'down'
        })),
        calls: (traces[id] ?? []).map(
          ([caller = '', callee = '', operation = '', trouble = '']) => ({
            caller,
            callee,
            operation,
            trouble
          })
        )
      })
    }
  })
}

type Contestant = (past: readonly Incident[]) => (asked: Incident) => Scored[]

const ours: Contestant = past => {
  const recall = createRecall(past.map(({ id, tokens, cause }) => ({ id, tokens, cause })))
  return ({ tokens }) =>
    recall(tokens).map(({ id, similarity }) => ({ name: id, score: similarity }))
}

/** Cosine of TF-IDF vectors over the events as they are. */
const plainTfidf: Contestant = past => {
  const recall = createRecall(past.map(({ id, rawTokens }) => ({ id, tokens: rawTokens })))
  return ({ rawTokens }) =>
    recall(rawTokens).map(({ id, similarity }) => ({ name: id, score: similarity }))
}
/** Newest first. */
const mostRecent: Contestant = past => () =>
  inOrder(past.map(({ id }, index) => ({ name: id, score: index })))

const contestants: Readonly<Record<string, Contestant>> = {
  Rayne: ours,
  'TF-IDF cosine': plainTfidf,
  'most recent': mostRecent
}

/** Place of the first relevant answer; answers with equal scores are one place, and the last of it. */
function firstRelevant(ranking: readonly Scored[], isRelevant: (id: string) => boolean): number {
  const best = ranking.find(({ name }) => isRelevant(name))
  return best === undefined
    ? Number.POSITIVE_INFINITY
    : ranking.filter(({ score }) => score >= best.score).length
}

/** `npm run eval -- gaia`: past incidents like a new one, on the events of the GAIA set. */
export function gaiaCommand(program: Command): void {
  program
    .command('gaia')
    .description('find past incidents with the same cause')
    .requiredOption(
      '--data <dir>',
      'folder with label.csv, logs.json, metrics.json and traces.json'
    )
    .option('--json <file>', 'write every prediction here')
    .action(({ data, json }: { data: string; json?: string }) => {
      const incidents = readIncidents(data)
      const past = incidents.filter(({ split }) => split === 'train')
      const asked = incidents.filter(({ split }) => split === 'test')
      if (past.length === 0 || asked.length === 0)
        throw new Error(`label.csv in ${data} needs rows of both train and test`)
      const causes = new Map(past.map(({ id, cause }) => [id, cause]))
      const results = Object.entries(contestants).map(([contestant, learn]) => {
        const answer = learn(past)
        return {
          contestant,
          answers: asked.map(one => {
            const ranking = answer(one)
            return {
              one,
              ranking,
              place: firstRelevant(ranking, id => causes.get(id) === one.cause)
            }
          })
        }
      })
      print(
        `gaia: ${past.length} past and ${asked.length} new incidents, configuration ${configurationHash()}`
      )
      print(
        table(
          ['contestant', 'n', 'MRR', 'R@1 [95 %]', 'R@3 [95 %]', 'R@10 [95 %]'],
          results.map(({ contestant, answers }) => [
            contestant,
            answers.length,
            mean(answers.map(({ place }) => 1 / place)).toFixed(3),
            ...[1, 3, 10].map(k => showRate(rateOf(answers.map(({ place }) => place <= k))))
          ])
        )
      )
      writeJson(json, {
        track: 'gaia',
        configuration: configurationHash(),
        cases: results.flatMap(({ contestant, answers }) =>
          answers.map(({ one, ranking, place }) => ({
            contestant,
            id: one.id,
            truth: one.cause,
            place: Number.isFinite(place) ? place : null,
            prediction: ranking.slice(0, 10)
          }))
        )
      })
    })
}
