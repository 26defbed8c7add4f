/** An error about a project. `code` is permanent; the README lists the codes. */
export class ProjectError extends Error {
  override readonly name = 'ProjectError'
  readonly code: 'ERR_PROJECT_SETTINGS'
  /** The file. */
  readonly path: string

  constructor(path: string, why: string, options?: ErrorOptions) {
    super(`${path} ${why}`, options)
    this.code = 'ERR_PROJECT_SETTINGS'
    this.path = path
  }
}
