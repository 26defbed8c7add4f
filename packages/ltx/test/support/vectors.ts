import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** What `manifest.json` says of a file that the reference implementation wrote. */
interface Vector {
  readonly name: string
  readonly file: string
  readonly len: number
  readonly header: Readonly<Record<string, string | number>> & {
    readonly flags: number
    readonly pageSize: number
  }
  readonly pages?: readonly {
    readonly pgno: number
    readonly data: string
    readonly sha256: string
    readonly offset: number
    readonly size: number
  }[]
  readonly trailer: { readonly fileChecksum: string; readonly postApplyChecksum: string }
  readonly compactedFrom?: readonly string[]
}

interface Manifest {
  readonly ltx: readonly Vector[]
  readonly lz4frames: readonly {
    readonly file: string
    readonly contentLen: number
    readonly contentSha256: string
  }[]
  readonly pageChecksums: readonly {
    readonly pgno: number
    readonly data: string
    readonly size: number
    readonly checksum: string
  }[]
}

const directory = fileURLToPath(new URL('../../../../../shared/vectors/ltx/', import.meta.url))

/** Whether the collection lies beside the repository. */
export const vectorsAreHere = existsSync(`${directory}manifest.json`)

/** What a test's name says if it is skipped because the collection is missing. */
export const orSkipped = vectorsAreHere ? '' : ' (skipped: ../shared/vectors/ltx is not here)'

/** The collection's description; an empty one if it is not here. */
export const manifest: Manifest = vectorsAreHere
  ? (JSON.parse(readFileSync(`${directory}manifest.json`, 'utf8')) as Manifest)
  : { ltx: [], lz4frames: [], pageChecksums: [] }

/** One of its files. */
export function readVector(file: string): Buffer {
  return readFileSync(directory + file)
}
