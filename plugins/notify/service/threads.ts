import type { Knex } from '../../../core/index.ts'
import type { AnalysisEnded } from '../../rca/contract.ts'
import { needsAnalysis, type AlertReceived } from '../../webhooks/contract.ts'
import type { Message } from '../contract.ts'
import { messageStore, type Thread } from '../store.ts'
import {
  alertMessage,
  analysisMessage,
  factsOf,
  problemKey,
  recoveryMessage,
  severityOf,
  type Facts
} from './compose.ts'

type Words = Omit<Message, 'key' | 'revision'>
/** Puts a message in line for every channel that takes it. */
type Tell = (
  trx: Knex.Transaction,
  threadId: number,
  message: Message,
  facts: Facts
) => Promise<void>

/**
 * What is said of a problem: one thread from its first alert to its recovery. An alert of a problem that is open is
 * counted and says nothing new; an analysis and a recovery change what was said.
 */
export function createThreads({ tell, base }: { readonly tell: Tell; readonly base: string }) {
  async function change(trx: Knex.Transaction, thread: Thread, words: Words): Promise<void> {
    const message: Message = {
      ...words,
      key: thread.message.key,
      revision: thread.message.revision + 1
    }
    await messageStore.change(trx, thread.id, message)
    await tell(trx, thread.id, message, thread.facts)
  }

  return {
    async alert(trx: Knex.Transaction, received: AlertReceived): Promise<void> {
      const { account, alert } = received
      const key = problemKey(account, alert)
      const thread = await messageStore.newest(trx, key)
      if (!alert.firing) {
        // A recovery of what nobody was told of is no news.
        if (thread && !thread.closed)
          await change(trx, thread, recoveryMessage(received, thread.message))
        return
      }
      if (!needsAnalysis(alert)) return
      if (thread && !thread.closed) {
        await messageStore.count(trx, thread.id)
        // From a warning to an alert is news; the same again is not.
        const rose = severityOf(alert) === 'critical' && thread.message.severity === 'warning'
        if (rose) await change(trx, thread, { ...thread.message, severity: 'critical' })
        return
      }
      const facts = factsOf(account, alert)
      const message = { ...alertMessage(received, base), key, revision: 1 }
      const id = await messageStore.open(trx, key, message, facts)
      await tell(trx, id, message, facts)
    },

    async analysed(trx: Knex.Transaction, ended: AnalysisEnded): Promise<void> {
      // What somebody asked for by hand is read where it was asked.
      if (ended.event_id === null) return
      const thread = await messageStore.newest(trx, problemKey(ended.account, ended.alert))
      if (!thread) return
      const words = analysisMessage(ended, thread.message, base)
      // A cause that is found after the recovery is told, and the problem stays resolved.
      if (thread.closed)
        return change(trx, thread, {
          ...thread.message,
          lines: [...thread.message.lines.slice(0, 1), ...words.lines.slice(1)],
          links: words.links
        })
      return change(trx, thread, words)
    }
  }
}
