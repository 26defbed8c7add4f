/** Why a binding cannot be loaded, and the remedy, which is empty if there is nothing to do but to use another binding. */
export class BindingProblem extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { cause })
    this.remedy = remedy
  }
}
