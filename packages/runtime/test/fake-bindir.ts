import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Makes a directory with a `postgres` that prints a version, or is the given script; for layouts that this machine lacks. */
export function fakeBindir(
  directory: string,
  what: { version: string } | { script: string },
  programs: readonly string[] = ['initdb', 'pg_ctl'],
): string {
  mkdirSync(directory, { recursive: true })
  const script = 'script' in what ? what.script : `echo 'postgres (PostgreSQL) ${what.version}'`
  for (const name of ['postgres', ...programs]) {
    const path = join(directory, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
  }
  return directory
}
