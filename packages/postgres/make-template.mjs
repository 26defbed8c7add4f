// Makes the template that comes with the programs of this platform: see "Templates" in docs/temporary-clusters.md.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
// By path: this package has no dependencies, and turbo builds these first.
import { beginFreshWal, initdb, initdbArguments, runStatements } from '../cluster/dist/inside.js'
import {
  chooseServerUser,
  DataDirectory,
  HeldDirectory,
  packShippedTemplate,
  shippedSuperuser,
} from '../data-directory/dist/index.js'
import { bundled } from '../runtime/dist/index.js'

/** Removes what depends on the machine, and the databases that are copies of `template1`. */
const reducing = [
  // The collations of the operating system: FirstUnpinnedObjectId in PostgreSQL's `transam.h`.
  "DELETE FROM pg_collation WHERE collprovider = 'c' AND oid >= 12000;",
  "UPDATE pg_database SET datistemplate = false WHERE datname = 'template0';",
  'DROP DATABASE template0;',
  'DROP DATABASE postgres;',
  'VACUUM FREEZE;',
]

/** The template for a platform, made by the programs in the package of this one; `null` if they do not run here, as on musl. */
export async function makeTemplate(target, platform) {
  const scratch = mkdtempSync(join(tmpdir(), 'howdah-template-'))
  try {
    // The server's user has to get through.
    chmodSync(scratch, 0o755)
    const cacheDir = join(scratch, 'cache')
    const runtime = await bundled({ packages: [target], cacheDir }).fallback()
    if (runtime === null) return null
    const path = join(scratch, 'data')
    const user = await chooseServerUser(path)
    HeldDirectory.make(path, user)[Symbol.dispose]()
    return await makeIn(path, platform, {
      directory: new DataDirectory(path),
      runtime,
      user,
      superuser: shippedSuperuser,
      throwAway: true,
    })
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

async function makeIn(path, platform, initialization) {
  await initdb(path, initialization)
  await runStatements(path, initialization, reducing)
  await beginFreshWal(path, initialization)
  // Caches, which a starting server removes.
  for (const name of ['global', 'base/1'])
    rmSync(join(path, name, 'pg_internal.init'), { force: true })
  const { runtime, user } = initialization
  const owner = user?.uid ?? process.geteuid()
  return await packShippedTemplate(path, runtime, initdbArguments(initialization), owner, platform)
}
