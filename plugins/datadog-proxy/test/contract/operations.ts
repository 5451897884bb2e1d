import { downtimeOperations } from './downtime-operations.ts'
import { hostOperations } from './host-operations.ts'
import { monitorOperations } from './monitor-operations.ts'
import { notebookOperations } from './notebook-operations.ts'
import type { Operation } from './operation.ts'
import { otherOperations } from './other-operations.ts'
import { searchOperations } from './search-operations.ts'
import { webhookOperations } from './webhook-operations.ts'

/** Every operation our client uses, by the name recordings give it. */
export const operations: Readonly<Record<string, Operation>> = {
  ...monitorOperations,
  ...hostOperations,
  ...searchOperations,
  ...notebookOperations,
  ...downtimeOperations,
  ...webhookOperations,
  ...otherOperations
}
