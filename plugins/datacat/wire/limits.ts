/** Items one batch may hold over all its lists. */
export const maxItems = 1_000
/** Levels of objects and arrays a body may have; far under what any parser of a reader refuses. */
export const maxDepth = 100
/** Bytes of a state as JSON text. */
export const maxStateBytes = 1_048_576
/** Values a state may hold: its leaves, each different element of an array one more. */
export const maxStateValues = 20_000
/** Such values one request may bring over all its state updates. */
export const maxPatchValues = 10_000
/** Different elements of one array a filter can find; what comes behind is stored and not looked up. */
export const maxFoundElements = 1_000
/** Series one session may have: its metrics, times their sets of tags. */
export const maxSeries = 10_000
/** Sets of tags of one metric of one session that are told apart; those beyond are one more series. */
export const maxTagSets = 200
/** Samples one point may stand for. */
export const maxWeight = 1e15
