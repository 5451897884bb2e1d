import { Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { newQuickJSWASMModuleFromVariant } from 'quickjs-emscripten-core'
import { runGuest } from './guest.ts'
import { readLines, type Answer, type Ask, type FromChild, type ToChild } from './messages.ts'

// The program of the child process: it runs one guest after another and speaks on descriptor 3 alone.
const channel = new Socket({ fd: 3 })
const quickjs = await newQuickJSWASMModuleFromVariant(import('@jitl/quickjs-wasmfile-release-sync'))
const waiting = new Map<string, (answer: Answer) => void>()
const maxLineBytes = 8 * 1_048_576

const send = (message: FromChild): void => {
  channel.write(`${JSON.stringify(message)}\n`)
}

const ask = (question: Ask): Promise<Answer> =>
  new Promise(resolve => {
    waiting.set(`${question.nonce} ${question.id}`, resolve)
    send({ kind: 'ask', ...question })
  })

async function take(message: ToChild): Promise<void> {
  if (message.kind === 'answer') {
    const key = `${message.nonce} ${message.id}`
    waiting.get(key)?.(message)
    waiting.delete(key)
    return
  }
  const { nonce } = message
  const { outcome, dispose } = await runGuest(message, { quickjs, ask })
  waiting.clear()
  if (typeof outcome === 'string') send({ kind: 'done', nonce, text: outcome })
  else send({ kind: 'failed', nonce, failure: outcome })
  if (typeof outcome === 'string' || outcome.kind === 'threw') dispose()
  else channel.end(() => process.exit(0))
}

channel.on(
  'data',
  readLines<ToChild>(
    maxLineBytes,
    message => void take(message),
    () => process.exit(1)
  )
)
channel.on('close', () => process.exit(0))
const { length: networks } = Object.values(networkInterfaces()).flat()
send({ kind: 'ready', uid: process.getuid?.() ?? -1, networks })
