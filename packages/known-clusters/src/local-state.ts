import { ClusterError } from '@howdah/data-directory'

/**
 * The place where howdah keeps what it knows of this machine: who uses which cluster, and who writes where.
 *
 * It is for people and for refusals; no cluster needs it. So whatever goes wrong with it is said once, and no more.
 * `@howdah/store` and `@howdah/registry` are loaded when they are first needed.
 */
export class LocalState {
  /** Told what deserves a word to the user. */
  readonly notice: (message: string) => void

  /** Told of a mistake in the program that uses this. */
  readonly warn: (message: string) => void

  /** `notice` may be called several times with the same words. */
  constructor(notice: (message: string) => void, warn = notice) {
    this.notice = notice
    this.warn = warn
  }

  /** Begins to load what {@link attempt} needs, while others are waited for. */
  load(): void {
    // A failure is reported where the state is used.
    import('@howdah/store').catch(() => undefined)
  }

  /**
   * Does something in the state directory of this user; `null` if that failed, which was said then. Rejects only with a
   * {@link ClusterError}, such as a refusal that the state gave reason for.
   */
  async attempt<Result>(action: (path: string) => Promise<Result>): Promise<Result | null> {
    try {
      const { stateDirectory } = await import('@howdah/store')
      return await action(stateDirectory())
    } catch (error) {
      if (error instanceof ClusterError) throw error
      const why = error instanceof Error ? error.message : String(error)
      this.notice(`this cluster and its users are not listed by "howdah ls": ${why}`)
      return null
    }
  }
}
