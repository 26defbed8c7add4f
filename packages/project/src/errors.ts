/** An error about a project. `code` is permanent; the README lists the codes. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
  readonly code: 'ERR_PROJECT_SETTINGS'
  /** The file. */
  readonly path: string
  /** The line in it, from 1 on; `null` if it is about the whole file. */
  readonly line: number | null

  constructor(
    path: string,
    why: string,
    { line = null, ...options }: ErrorOptions & { readonly line?: number | null } = {},
  ) {
    super(`${path}${line === null ? '' : `:${line}`} ${why}`, options)
    this.code = 'ERR_PROJECT_SETTINGS'
    this.path = path
    this.line = line
  }
}
