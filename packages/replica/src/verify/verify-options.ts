/** Options of a verification. */
export interface VerifyOptions {
  readonly signal?: AbortSignal | undefined
  /** Called before each file that is read. */
  readonly onProgress?: ((progress: { readonly file: string }) => void) | undefined
}
