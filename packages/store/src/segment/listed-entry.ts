import type { Entry, LoadedEntry } from '../entry/entry.ts'
import { StoreError } from '../errors.ts'

/** A file that is not a readable entry or a segment but lies where one should be; or a segment that cannot be locked. */
export interface UnreadableEntry<State> {
  /** Why it is unreadable. */
  readonly error: StoreError
  /** The identity of the segment; `null` if the file is not a segment. */
  readonly segment: number | null
  /** The entry itself, to destroy it; `null` if the error is about a segment. */
  readonly entry: Entry<State> | null
}

/** An item of a listing. Its `error` is `null` if the entry was loaded. */
export type ListedEntry<State> = LoadedEntry<State> | UnreadableEntry<State>

/** An entry and its bytes, or the error of reading it. */
export interface ReadEntry<State> {
  readonly entry: Entry<State>
  readonly read: Buffer | StoreError
}

/** Reads an entry without decoding it; `null` if it is gone. */
export function readEntry<State>(entry: Entry<State>): ReadEntry<State> | null {
  try {
    return { entry, read: entry.read() }
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    return error.code === 'ERR_STORE_ENTRY_GONE' ? null : { entry, read: error }
  }
}

/**
 * Decodes the bytes of an entry. A {@link StoreError} becomes part of the result; it rejects only with other errors, such as
 * those that the schema throws.
 */
export async function decodeListed<State>({
  entry,
  read,
}: ReadEntry<State>): Promise<ListedEntry<State>> {
  const { segment } = entry
  if (read instanceof StoreError) return { error: read, segment, entry }
  try {
    return await entry.complete(read)
  } catch (error) {
    if (error instanceof StoreError) return { error, segment, entry }
    throw error
  }
}
