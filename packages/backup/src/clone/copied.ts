/** The result of copying. */
export interface Copied {
  /** Settings that its recovery needs. */
  readonly settings: Record<string, string>
  /**
   * Whether the copy must be recovered and checked before it is used, because it has subscriptions or its recovery needs
   * settings.
   */
  readonly needsCare: boolean
  /** Settles when the server of the original is left, which the copy no longer needs. */
  readonly leaving: Promise<unknown>
}
