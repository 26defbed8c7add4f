import { Version } from './version.ts'
import { notAVersion } from '../errors.ts'

const pattern = /^(\d{2,4})\.(\d{1,4})\.(\d{1,4})(?:-(alpha|beta|rc)\.(\d{1,4}))?$/

/** The version of an npm package with PostgreSQL, such as `16.14.0-beta.17` for PostgreSQL 16.14. */
export class PackageVersion {
  /** PostgreSQL's version. */
  readonly version: Version
  readonly #text: string
  /** The parts that distinguish packages of the same PostgreSQL. */
  readonly #rest: readonly [number, string, number]

  private constructor(text: string, version: Version, rest: readonly [number, string, number]) {
    this.version = version
    this.#text = text
    this.#rest = rest
  }

  /** Reads a package version; `null` if the text is not one. */
  static read(text: string): PackageVersion | null {
    const match = pattern.exec(text)
    if (match === null) return null
    // "release" sorts after the names of the stages before it.
    const rest = [Number(match[3]), match[4] ?? 'release', Number(match[5] ?? 0)] as const
    return new PackageVersion(text, Version.parse(`${match[1]}.${match[2]}`), rest)
  }

  /** Reads a package version. Throws `ERR_RUNTIME_VERSION` if the text is not one. */
  static parse(text: string): PackageVersion {
    const parsed = PackageVersion.read(text)
    if (parsed) return parsed
    throw notAVersion(text, 'the version of a package with PostgreSQL, such as 16.14.0-beta.17')
  }

  /** Negative if this is older than the other, 0 if they are equal, positive if it is newer. */
  compare(other: PackageVersion): number {
    const [patch, stage, number] = this.#rest
    const [otherPatch, otherStage, otherNumber] = other.#rest
    return (
      this.version.compare(other.version) ||
      patch - otherPatch ||
      (stage < otherStage ? -1 : stage > otherStage ? 1 : 0) ||
      number - otherNumber
    )
  }

  toString(): string {
    return this.#text
  }
}
