import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { onlyIf, postgresPackage } from '@howdah/fixtures'
import { everyPostgres } from '@howdah/postgres-fixtures'
import { bundled, chain, onPath, type Runtime, runtimeIn, type Strategy } from '@howdah/runtime'

/** A whole PostgreSQL of this machine. */
const whole = (
  await Promise.all(
    everyPostgres.map(async ({ place }) =>
      'bindir' in place ? await runtimeIn(place.bindir) : null,
    ),
  )
).find((runtime) => runtime?.has('pg_upgrade') === true)
const older = whole ? postgresPackage(whole.version.major - 1) : null
const condition = onlyIf(whole != null && older !== null, 'no PostgreSQL here has pg_upgrade')

/**
 * The programs of a bundled PostgreSQL, with the two that pg_upgrade wants besides: those of the next major, which read the
 * same file, and say that they are of this one.
 */
function wholeOlder(directory: string, { bindir, version }: Runtime): string {
  const native = dirname(bindir)
  const bin = join(directory, 'bin')
  mkdirSync(bin, { recursive: true })
  for (const name of ['lib', 'share']) symlinkSync(join(native, name), join(directory, name))
  for (const name of readdirSync(join(native, 'bin'))) {
    copyFileSync(join(native, 'bin', name), join(bin, name))
    chmodSync(join(bin, name), 0o755)
  }
  const control = join(whole?.bindir ?? '', 'pg_controldata')
  const reset = `dir=$(echo "$*" | sed 's/^-n *//'); ${control} "$dir" | sed "p;s/^Latest checkpoint's REDO WAL file:/First log segment after reset:/"`
  const programs = { pg_controldata: `exec ${control} "$@"`, pg_resetwal: reset }
  for (const [name, command] of Object.entries(programs)) {
    const script = `#!/bin/sh\ncase "$1" in -V|--version) echo "${name} (PostgreSQL) ${version.toString()}";; *) ${command};; esac\n`
    writeFileSync(join(bin, name), script, { mode: 0o755 })
  }
  return bin
}

interface TwoWhole {
  /** Their majors. */
  readonly from: number
  readonly to: number
  /** The directories of their programs, the older first. */
  readonly bindirs: [string, string]
  /** Finds only these two. */
  readonly strategy: Strategy
}

/** Two PostgreSQLs with the programs that pg_upgrade needs: one of this machine, and the major before it. */
export const twoWhole = {
  ...condition,
  /** Makes the older one in a directory. */
  async in(directory: string): Promise<TwoWhole> {
    const plain = await bundled({ packages: [older ?? ''] }).fallback()
    if (plain === null || whole == null) throw new Error('there are no two')
    const [old, anew] = [wholeOlder(directory, plain), whole.bindir]
    return {
      from: plain.version.major,
      to: whole.version.major,
      bindirs: [old, anew],
      strategy: chain(onPath([old]), onPath([anew])),
    }
  },
}
