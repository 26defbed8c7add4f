/** What is wrong with a project. `code` is permanent; the README has the table. */
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
