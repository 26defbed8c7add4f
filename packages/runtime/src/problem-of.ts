import type { RuntimeError } from './runtime-error.ts'
import { NotARuntimeError, UntrustedDirectoryError } from './errors.ts'
import type { RuntimeProblem } from './runtime-problem.ts'

/** What an error means to a search for a runtime. */
export function problemOf(error: RuntimeError): RuntimeProblem {
  if (error instanceof NotARuntimeError) return error.problem
  return error instanceof UntrustedDirectoryError ? 'untrusted' : 'unusable'
}
