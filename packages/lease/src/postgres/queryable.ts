/** The part of pg's `Pool` or `Client` that is used. */
export interface Queryable {
  /** Runs a statement with its values. */
  query(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
}
