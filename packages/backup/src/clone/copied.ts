/** What has been copied. */
export interface Copied {
  /** Settings that its recovery needs. */
  readonly settings: Record<string, string>
  /** Whether it must be recovered and looked at before it is used: it has subscriptions, or its recovery needs settings. */
  readonly needsCare: boolean
  /** Settled when the server of the original is left. The copy no longer needs that server. */
  readonly left: Promise<unknown>
}
