import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { currentProcess } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'

/** Everything that a new cluster depends on. With the same key, initdb would make the same cluster. */
export interface TemplateKey {
  /** The name of the template in the cache. */
  readonly name: string
  /** What the template contains, for people who look at the cache. */
  readonly about: Readonly<Record<string, string>>
}

/** To be changed when templates are made or kept in another way. */
const format = '2'

/** The key of the cluster that `initdb` would make with these arguments. */
export async function templateKey(
  runtime: Runtime,
  args: readonly string[],
  uid: number | undefined,
): Promise<TemplateKey> {
  const [server, maker] = await Promise.all(
    ['postgres', 'initdb'].map(async (program) => await identityOf(runtime.program(program))),
  )
  const version = runtime.version.toString()
  const about = {
    version,
    bindir: runtime.bindir,
    server: server ?? '',
    initdb: maker ?? '',
    platform: `${process.platform}-${process.arch}`,
    // initdb tests how much shared memory the machine has, and several machines may share the home directory.
    machine: thisMachine(),
    arguments: JSON.stringify(args),
    // The user who ran initdb could have put anything into the cluster.
    user: String(uid ?? ''),
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([format, about]))
    .digest('hex')
  return { name: `${version}-${digest.slice(0, 24)}`, about }
}

/** Identifies this machine among machines that share a home directory. */
export function thisMachine(): string {
  return currentProcess().machineId ?? hostname()
}

/** Identifies a program, so that an upgraded one is recognized as another. */
export async function identityOf(path: string): Promise<string> {
  const real = await realpath(path)
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(real, { bigint: true })
  return [real, dev, ino, size, mtimeNs, ctimeNs].join(' ')
}
