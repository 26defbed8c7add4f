/** The part of `@aws-sdk/client-s3`'s `S3Client` that we need. */
export interface S3Sender {
  /** Sends a command, and resolves with its result. */
  // `never`, because we make the commands ourselves, from the library's own classes.
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>
}
