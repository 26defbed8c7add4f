/** A process that uses the subject. */
export interface User {
  readonly pid: number
  /** Its command line; `null` where it cannot be read. */
  readonly command: string | null
}
