import { RuntimeError } from '../runtime-error.ts'

/** `ERR_RUNTIME_VERSION`: a text is no version of PostgreSQL. */
export class VersionError extends RuntimeError {
  readonly text: string

  constructor(text: string, expected: string) {
    super('ERR_RUNTIME_VERSION', `${JSON.stringify(text.slice(0, 200))} is not ${expected}`)
    this.text = text
  }
}
