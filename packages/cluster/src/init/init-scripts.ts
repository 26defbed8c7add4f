import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Server } from '../server.ts'
import { findScripts } from './find-scripts.ts'
import { runInitScript } from './run-init-script.ts'

/** An action to run in a new cluster before it counts as one. */
export interface InitStep {
  /** Steps with the same key have the same effect; the result of one with `null` is not kept as a template. */
  readonly key: string | null
  /** Runs it on a server that has only a socket, in the requested database. If it rejects, no cluster is made. */
  run(server: Server): Promise<void>
  /** A small file to keep in the data directory. */
  readonly record?: { readonly name: string; readonly text: string } | undefined
}

/**
 * Reads the scripts for a new cluster now, so that exactly the scripts that the key was made from will run. Throws
 * `ERR_CLUSTER_INIT_FAILED`.
 */
export async function readInitScripts(
  dataDir: string,
  patterns: string | readonly string[],
): Promise<InitStep> {
  const paths = await findScripts(dataDir, [patterns].flat())
  const scripts = await Promise.all(
    paths.map(async (path) => ({ name: path, path, content: await readFile(path) })),
  )
  const hash = createHash('sha256')
  for (const { path, content } of scripts)
    hash.update(`\0${path}\0${content.length}\0`).update(content)
  return {
    key: hash.digest('hex'),
    async run(server) {
      for (const script of scripts) await runInitScript(server, script)
    },
  }
}
