import { ClusterError } from '@howdah/data-directory'

/**
 * Howdah's state on this machine: which process uses which cluster, and which process writes where.
 *
 * It serves listings and refusals; no cluster needs it. So an error in it is only reported, once, and does not stop anything.
 * `@howdah/store` and `@howdah/registry` are loaded at their first use.
 */
export class LocalState {
  /** Called with messages for the user. */
  readonly notice: (message: string) => void

  /** Called with mistakes of the calling program. */
  readonly warn: (message: string) => void

  /** `notice` may be called several times with the same message. */
  constructor(notice: (message: string) => void, warn = notice) {
    this.notice = notice
    this.warn = warn
  }

  /**
   * Runs an action with the state directory of this user. Gives `null` if the action failed, after reporting that. Rejects
   * only with a {@link ClusterError}, such as a refusal because of the state.
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
