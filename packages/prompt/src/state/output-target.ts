/** Where results go. */
export interface OutputTarget {
  /** Resolves when there is room for more. */
  readonly write: (data: string | Buffer) => Promise<void>
  readonly close: () => Promise<void>
}
