type Log = (message: string, details?: object) => void

/** Where a leaser says what it does; `console` is one. What is missing is not said. */
export interface Logger {
  readonly debug?: Log
  readonly warn?: Log
}
