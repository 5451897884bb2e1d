import type { Knex, PluginApp } from '../../../core/index.ts'
import type { IncidentVectors } from './vectors/incident-vectors.ts'
import {
  AnalysesToken,
  ApprovalsToken,
  SignalsToken,
  type Analyses,
  type Approvals,
  type Signals
} from '../contract.ts'
import { memoryStore } from '../store/memories.ts'
import { findStep } from './engine/change-points.ts'
import { compareTemplates } from './engine/compare-templates.ts'
import { incidentTokens } from './engine/incident-tokens.ts'
import { shapeOf } from './group-logs.ts'
import { similarTo } from './recall-incidents.ts'
import { foundAnalysis, type Requests } from './request-analysis.ts'

/** An id that no analysis has. */
const nobody = '00000000-0000-0000-0000-000000000000'

/** Analyses as tools reach them. */
const createAnalyses = (
  db: Knex,
  vectors: IncidentVectors | undefined,
  requests: Requests
): Analyses => ({
  start: (asked, by, signal) => requests.ask(asked, by, signal),
  async find(id) {
    const { status, error, account, alert, createdAt, notebook, report } = await foundAnalysis(
      db,
      id
    )
    const monitor = alert.monitor_name ?? alert.title ?? 'an alert without a name'
    return {
      id,
      status,
      error,
      account,
      monitor,
      createdAt,
      notebookUrl: notebook?.url ?? null,
      report
    }
  },
  async similar(like, signal) {
    if ('analysis' in like) {
      const { account } = await foundAnalysis(db, like.analysis)
      const signs = await memoryStore.signsOf(db, like.analysis)
      return signs === null
        ? []
        : similarTo({ db, vectors, signal }, { id: like.analysis, account, signs })
    }
    const logs = like.lines.map(line => ({ source: like.service, template: shapeOf(line) }))
    const signs = incidentTokens({ logs, text: like.words })
    return similarTo({ db, vectors, signal }, { id: nobody, account: like.account, signs })
  }
})

/** What the engine computes, as tools reach it. */
const signals: Signals = {
  change(points, intervalMs) {
    const series = {
      times: points.map(({ at }) => at),
      values: points.map(({ value }) => value),
      intervalMs
    }
    return findStep(series, points.at(-1)?.at ?? 0)
  },
  patterns: ({ lines, from, split, until }) =>
    compareTemplates({ lines, from, onset: split, until })
}

/** The services that tools need of this plugin. */
export const toolTokens = [AnalysesToken, SignalsToken, ApprovalsToken]
export function serveTools(
  app: PluginApp<unknown>,
  parts: {
    readonly requests: Requests
    readonly vectors: IncidentVectors | undefined
    readonly approvals: Approvals
  }
): void {
  app.provide(AnalysesToken, createAnalyses(app.db, parts.vectors, parts.requests))
  app.provide(SignalsToken, signals)
  app.provide(ApprovalsToken, parts.approvals)
}
