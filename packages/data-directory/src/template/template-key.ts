import { createHash } from 'node:crypto'
import { realpath, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { currentProcess } from '@howdah/lock'
import type { Runtime } from '@howdah/runtime'

/** What a new cluster depends on. With the same values in all of these, initdb would make the same cluster. */
export interface TemplateKey {
  /** The name of the template in the cache. */
  readonly name: string
  /** What the template contains, for people who look at the cache. */
  readonly about: Readonly<Record<string, string>>
}

/** Changes with the way in which templates are made or kept. */
const format = '2'

/** The key of what `initdb` would make with these arguments. */
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
    // initdb tries out how much shared memory a machine gives, and the home may be shared by several.
    machine: thisMachine(),
    arguments: JSON.stringify(args),
    // The user who ran initdb could have put anything into what it made.
    user: String(uid ?? ''),
  }
  const digest = createHash('sha256')
    .update(JSON.stringify([format, about]))
    .digest('hex')
  return { name: `${version}-${digest.slice(0, 24)}`, about }
}

/** Tells machines apart that have the same home. */
export function thisMachine(): string {
  return currentProcess().machineId ?? hostname()
}

/** Tells a program from what an upgrade would put in its place. */
export async function identityOf(path: string): Promise<string> {
  const real = await realpath(path)
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(real, { bigint: true })
  return [real, dev, ino, size, mtimeNs, ctimeNs].join(' ')
}
