import datadogProxy from '../../../datadog-proxy/plugin.ts'
import demo from '../../../demo/plugin.ts'
import webhooks from '../../../webhooks/plugin.ts'
import rca from '../../plugin.ts'

/** What both processes run. */
export const plugins = [demo, datadogProxy, rca, webhooks]
