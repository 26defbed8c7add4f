/** The part of an `S3Client` of `@aws-sdk/client-s3` that is used. */
export interface S3Sender {
  /** Sends a command, and resolves with its result. */
  // `never`: the commands are made in this package, from the library's own classes.
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>
}
