/** Why a binding cannot be loaded, and what to do; the latter may be empty if another one can be used instead. */
export class BindingProblem extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { cause })
    this.remedy = remedy
  }
}
