import type { PluginApp } from '../../../core/index.ts'
import type { DatacatService } from '../service/datacat.ts'

/** One route, which the plugin adds to the platform when it is registered. */
export type AddRoute = (app: PluginApp<unknown>, datacat: DatacatService) => void
