import { createSimulator } from '../simulator/simulator.ts'

/** Where a sender of many alerts writes each alert's own number, as many digits as the mark is long. */
export const mark = '@@@@@@@@@@@@'

/** The webhook of scenario S1 as the recommended template renders it; `keyOf` makes it one alert of its own. */
export interface AlertBody {
  of(cycleKey: string): string
}

/** Renders the alert once; `t0` is the onset (epoch ms) of the incident a running simulator shows. */
export async function createAlertBody(t0?: number): Promise<AlertBody> {
  const simulator = await createSimulator({ scenario: 's1', ...(t0 === undefined ? {} : { t0 }) })
  try {
    const alert = JSON.parse(simulator.renderWebhook()) as Record<string, unknown>
    if (typeof alert['alert_cycle_key'] !== 'string')
      throw new Error('the rendered webhook has no alert_cycle_key')
    return { of: cycleKey => JSON.stringify({ ...alert, alert_cycle_key: cycleKey }, null, 2) }
  } finally {
    await simulator.close()
  }
}
