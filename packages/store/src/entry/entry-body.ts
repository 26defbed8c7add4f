import { toIdentity, type ProcessIdentity } from '@howdah/lock'
import type { BodyCodec } from './body-codec.ts'
import { readBody, withHeader } from './entry-header.ts'
import type { EntryId } from './entry-id.ts'
import { entryDamaged, type Failure } from '../errors.ts'

/** The content of an entry's body. No schema has checked the state yet. */
export interface EntryBody {
  readonly kind: number
  readonly process: ProcessIdentity
  readonly state: unknown
}

/** What a decoded body may contain. Nothing about it is certain. */
type Fields = Partial<Record<'id' | 'kind' | 'process' | 'state', unknown>>

/** Encodes the file of an entry. Throws the errors of the codec. */
export function encodeEntry(
  id: EntryId,
  { kind, process, state }: EntryBody,
  codec: BodyCodec,
): Buffer {
  return withHeader(kind, codec.encode({ id: id.text, kind, process, state }))
}

/**
 * Decodes the file of an entry, and checks that the id in it matches and that the kinds in header and body agree.
 *
 * Throws `ERR_STORE_ENTRY_DAMAGED`, and `ERR_STORE_ENTRY_REVISION` if a newer version wrote the file.
 */
export function decodeEntry(
  bytes: Buffer,
  id: EntryId,
  codec: BodyCodec,
  failure: Failure,
): EntryBody {
  const { kind, body } = readBody(bytes, failure)
  const fields = decodeFields(body, codec, failure)
  if (fields.id !== id.text) {
    const why = `it says that it is entry ${String(fields.id)}; somebody renamed or copied its file`
    throw entryDamaged('id', failure, why)
  }
  if (fields.kind !== kind) {
    const why = `its header says kind ${kind}, and its body kind ${String(fields.kind)}`
    throw entryDamaged('kind', failure, why)
  }
  const process = toIdentity(fields.process)
  if (process === null) throw entryDamaged('body', failure, 'its body names no process')
  return { kind, process, state: fields.state }
}

function decodeFields(body: Buffer, codec: BodyCodec, failure: Failure): Fields {
  let value: unknown
  try {
    value = codec.decode(body)
  } catch (cause) {
    throw entryDamaged('body', failure, 'its body does not decode', cause)
  }
  if (typeof value !== 'object' || value === null)
    throw entryDamaged('body', failure, 'its body is not an object')
  return value
}
