import { recordNaming } from '@howdah/coordinate'
import {
  coordinationPaths,
  type DataDirectory,
  findPostmaster,
  hasGivenUp,
} from '@howdah/data-directory'
import { isSameProcess, type ProcessIdentity } from '@howdah/lock'

/** In ms: how long after one look the next one is worth its cost. */
const pause = 500

/** Watches a server that lets nobody in, because its recovery may have failed without the server noticing it. */
export class FailedRecovery {
  readonly #directory: DataDirectory
  #nextLook = performance.now() + pause
  /** The server that had given up at the last look. */
  #suspect: ProcessIdentity | null = null

  constructor(directory: DataDirectory) {
    this.#directory = directory
  }

  /**
   * Ends our server if it has given up to recover at two looks. The next start recovers it. Call this at each refusal; most
   * calls do nothing. A server that howdah did not start is left alone.
   */
  async end(): Promise<void> {
    if (performance.now() < this.#nextLook) return
    this.#nextLook = performance.now() + pause
    const before = this.#suspect
    this.#suspect = await this.#look()
    if (before === null || this.#suspect === null || !isSameProcess(before, this.#suspect)) return
    try {
      process.kill(this.#suspect.pid, 'SIGQUIT')
    } catch {
      // The server has ended, or belongs to another user.
    }
  }

  async #look(): Promise<ProcessIdentity | null> {
    const postmaster = await findPostmaster(this.#directory)
    if (postmaster === null) return null
    const paths = coordinationPaths(this.#directory)
    if (recordNaming(paths, postmaster.identity) === null) return null
    return (await hasGivenUp(this.#directory, postmaster)) ? postmaster.identity : null
  }
}
