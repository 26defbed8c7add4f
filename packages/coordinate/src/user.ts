/** A process that uses the subject. */
export interface User {
  readonly pid: number
  /** Its command line; `null` if it cannot be read. */
  readonly command: string | null
}
