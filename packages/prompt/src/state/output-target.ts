/** Where results go. */
export interface OutputTarget {
  /** Resolves when there is room for more. */
  write(data: string | Buffer): Promise<void>
  close(): Promise<void>
}
