import type { Entry, LoadedEntry } from '../entry/entry.ts'
import { StoreError } from '../errors.ts'

/** What lies where an entry or a segment should be, and is none or cannot be read; or a segment that cannot be locked. */
export interface UnreadableEntry<State> {
  /** Why. */
  readonly error: StoreError
  /** The identity of the segment; `null` if it is not one. */
  readonly segment: number | null
  /** The entry itself, to destroy it; `null` if it is about a segment. */
  readonly entry: Entry<State> | null
}

/** What a listing yields: tell them apart by `error`. */
export type ListedEntry<State> = LoadedEntry<State> | UnreadableEntry<State>

/** An entry and what was read of it. */
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

/** Decodes what was read. Rejects with what the schema throws, never with a {@link StoreError}. */
export async function decodeListed<State>({
  entry,
  read,
}: ReadEntry<State>): Promise<ListedEntry<State>> {
  const unreadable = (error: StoreError) => ({ error, segment: entry.segment, entry })
  if (read instanceof StoreError) return unreadable(read)
  try {
    return await entry.complete(read)
  } catch (error) {
    if (error instanceof StoreError) return unreadable(error)
    throw error
  }
}
