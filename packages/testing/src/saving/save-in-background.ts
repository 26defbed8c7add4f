import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

/** A server whose lasting templates are to be saved. */
export interface Saving {
  /** The data directory of the server. */
  readonly dataDir: string
  /** The directory of its programs. */
  readonly bindir: string
  /** The name of the base that later servers begin with. */
  readonly base: string
  /** How long the server stays after its last user, in ms. */
  readonly linger: number
}

/**
 * Saves the lasting templates of a server in a process of its own, which goes on if this process ends. If it fails, the next
 * server migrates again.
 */
export function saveInBackground(saving: Saving): void {
  try {
    const program = createRequire(import.meta.url).resolve('@howdah/testing/saver')
    const code = `const { save } = await import(process.argv[1]); await save(process.argv[2])`
    const args = [pathToFileURL(program).href, JSON.stringify(saving)]
    const child = spawn(process.execPath, ['--input-type=module', '--eval', code, ...args], {
      cwd: '/',
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    child.on('error', () => undefined)
    child.unref()
  } catch {
    // It cannot be started, or cannot be found, as in a bundle.
  }
}
