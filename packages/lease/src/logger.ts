type Log = (message: string, details?: object) => void

/** Receives the messages of a leaser, as `console` can. Messages for a missing method are dropped. */
export interface Logger {
  readonly debug?: Log
  readonly warn?: Log
}
