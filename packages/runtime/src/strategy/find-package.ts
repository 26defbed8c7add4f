import { existsSync, realpathSync } from 'node:fs'
import Module from 'node:module'
import { dirname, join } from 'node:path'

/** The API that Yarn's Plug'n'Play adds to `node:module`: https://yarnpkg.com/advanced/pnpapi. */
interface PnpApi {
  resolveToUnqualified(request: string, issuer: string): string | null
  resolveVirtual?(path: string): string | null
}

interface PnpModule {
  findPnpApi?: (path: string) => PnpApi | null
}

/**
 * The directory of a package that the module at the path `from` can import; `null` if there is none.
 *
 * It does not use `require.resolve`, since a package may not export its `package.json`, and packages in NODE_PATH are not
 * dependencies.
 */
export function findPackage(name: string, from: string): string | null {
  const { findPnpApi } = Module as PnpModule
  const pnp = findPnpApi?.(from)
  if (pnp) return findByPnp(pnp, name, from)
  let directory = dirname(from)
  for (;;) {
    const candidate = join(directory, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    const parent = dirname(directory)
    if (parent === directory) return null
    directory = parent
  }
}

function findByPnp(pnp: PnpApi, name: string, from: string): string | null {
  try {
    const found = pnp.resolveToUnqualified(name, from)
    return found === null ? null : (pnp.resolveVirtual?.(found) ?? found)
  } catch {
    // The package is not a dependency, or was not installed for this platform.
    return null
  }
}
