import { bootError } from './errors.ts'

/** A typed name for a service: the value is the dependency, the type travels with it. */
export interface Token<T> {
  readonly id: string
  readonly T?: T
}
export const createToken = <T>(id: string): Token<T> => ({ id })

export type Tokens = Readonly<Record<string, Token<unknown>>>
/** What tokens resolve to: `{ datadog: Token<DatadogService> }` gives `{ datadog: DatadogService }`. */
export type Resolved<N extends Tokens> = {
  readonly [K in keyof N]: N[K] extends Token<infer T> ? T : never
}

/** The part of a plugin that decides its place in the boot order. */
export interface Orderable {
  readonly id: string
  readonly needs?: Tokens | undefined
  readonly wants?: Tokens | undefined
  readonly provides?: readonly Token<unknown>[] | undefined
}

/**
 * Plugins in dependency order (ties keep the given order); a missing or circular need is refused by name. `given` are
 * ids of services that exist already.
 */
export function orderByTokens<P extends Orderable>(
  plugins: readonly P[],
  given: ReadonlySet<string> = new Set()
): P[] {
  const providers = new Map<string, P>()
  for (const plugin of plugins) {
    for (const token of plugin.provides ?? []) {
      const other = providers.get(token.id)
      if (other)
        throw bootError(`'${token.id}' is provided by both '${other.id}' and '${plugin.id}'`)
      providers.set(token.id, plugin)
    }
  }
  const ordered: P[] = []
  const visit = (plugin: P, path: readonly P[]): void => {
    if (ordered.includes(plugin)) return
    const at = path.indexOf(plugin)
    if (at >= 0)
      throw bootError(
        `plugins need each other: ${[...path.slice(at), plugin].map(p => p.id).join(' → ')}`
      )
    for (const token of Object.values(plugin.needs ?? {})) {
      const provider = providers.get(token.id)
      if (!provider && given.has(token.id)) continue
      if (!provider)
        throw bootError(
          `plugin '${plugin.id}' needs '${token.id}', which no loaded plugin provides`
        )
      if (provider !== plugin) visit(provider, [...path, plugin])
    }
    for (const token of Object.values(plugin.wants ?? {})) {
      const provider = providers.get(token.id)
      if (provider && provider !== plugin) visit(provider, [...path, plugin])
    }
    ordered.push(plugin)
  }
  for (const plugin of plugins) visit(plugin, [])
  return ordered
}

/** The services of one running application; `overrides` are test fakes and win over what plugins provide. */
export function createServices(overrides: ReadonlyMap<string, unknown> = new Map()) {
  const services = new Map<string, unknown>(overrides)
  return {
    provide(owner: string, token: Token<unknown>, service: unknown): void {
      if (overrides.has(token.id)) return
      if (services.has(token.id)) throw bootError(`plugin '${owner}' provides '${token.id}' twice`)
      services.set(token.id, service)
    },
    has: (token: Token<unknown>): boolean => services.has(token.id),
    /** Resolves a record of tokens; one that is absent is left out (a `wants` nobody provides). */
    resolve: (tokens: Tokens = {}): Record<string, unknown> =>
      Object.fromEntries(
        Object.entries(tokens)
          .filter(([, t]) => services.has(t.id))
          .map(([key, t]) => [key, services.get(t.id)])
      )
  }
}
export type Services = ReturnType<typeof createServices>
