import { Type, type Static } from '../../../../core/index.ts'

const text = (maxLength: number, description: string) => Type.String({ maxLength, description })
const Cited = Type.Object(
  {
    text: text(600, 'One statement. Every number, name and time in it stands in the rows cited.'),
    evidence: Type.Array(Type.String({ maxLength: 40 }), {
      maxItems: 12,
      description: 'Ids of rows, e.g. logs#3 or t2#1'
    })
  },
  { additionalProperties: false }
)

/** How an investigation ends: what the model hands in, before code has checked it. */
export const Submission = Type.Object(
  {
    hypotheses: Type.Array(
      Type.Object(
        {
          cause: text(300, 'The cause in one sentence'),
          component: text(200, 'The service, host or dependency it began in'),
          confidence: Type.Number({ minimum: 0, maximum: 1 }),
          claims: Type.Array(Cited, { maxItems: 12 })
        },
        { additionalProperties: false }
      ),
      { maxItems: 5, description: 'Likeliest first; none when the cause is not established' }
    ),
    ruled_out: Type.Array(Cited, { maxItems: 10, description: 'What it is not, and why' }),
    next_steps: Type.Array(text(300, 'What a person should do or look at next'), { maxItems: 5 })
  },
  { additionalProperties: false }
)
export type Submission = Static<typeof Submission>
