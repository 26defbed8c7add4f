/** What is needed of an `S3Client` of `@aws-sdk/client-s3`. */
export interface S3Sender {
  // `never`: the commands are made here, of the library's own classes.
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>
}
