/** A service's name without what such names share: `checkout-service`, `checkoutsvc` and `checkout` are one. */
export const bareName = (service: string): string =>
  service
    .toLowerCase()
    .replace(/[-_. ]/g, '')
    .replace(/(?<=.{3})(?:services?|svc|server|backend|worker|app|api)$/, '')

const sharedFolders =
  /^(?:pkg|internal|libs?|common|shared|core|platform|packages|vendor|third_party|proto|schemas?|api|sdk|utils?|config|deploy|charts|k8s|terraform|infra|migrations?|db)$/i
const sharedFiles =
  /^(?:go\.(?:mod|sum)|package(?:-lock)?\.json|yarn\.lock|pnpm-lock\.yaml|requirements[^/]*\.txt|pyproject\.toml|pom\.xml|Cargo\.toml|Gemfile(?:\.lock)?|Dockerfile\S*|docker-compose\S*)$/i

/** Whose a file is: a service by a folder of its name, `shared` for libraries and files at the root, else unknown. */
export function ownerOf(path: string, services: readonly string[]): string | 'shared' | undefined {
  const folders = path.split('/')
  const file = folders.pop() ?? ''
  // The most telling folder is the deepest one that bears a name: `services/checkout/client`.
  for (const folder of folders.toReversed()) {
    const bare = bareName(folder)
    const owner =
      services.find(service => bareName(service) === bare) ??
      services.find(
        service =>
          bare.length >= 4 &&
          (bareName(service).startsWith(bare) || bare.startsWith(bareName(service)))
      )
    if (owner !== undefined) return owner
  }
  const stem = bareName(file.replace(/\.\w+$/, ''))
  const byFile = services.find(service => bareName(service) === stem)
  if (byFile !== undefined) return byFile
  return folders.some(folder => sharedFolders.test(folder)) || sharedFiles.test(file)
    ? 'shared'
    : undefined
}
