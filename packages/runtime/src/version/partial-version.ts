import { notAVersion } from '../errors.ts'

/** The parts of a complete `Version`. */
interface VersionParts {
  readonly major: number
  readonly point: number | null
  readonly minor: number
  readonly prerelease: object | null
}

/**
 * A version of PostgreSQL with later parts that may be open:
 *
 * `16`, `16.3`, `9.6`, `9.6.24`. The file `PG_VERSION` contains one, and people ask for a version with one.
 */
export class PartialVersion {
  readonly major: number
  /** The second part of a version before 10, such as the 6 of 9.6; `null` from 10 on, and if it is open. */
  readonly point: number | null
  /** `null` if it is open. */
  readonly minor: number | null

  private constructor(major: number, point: number | null, minor: number | null) {
    this.major = major
    this.point = point
    this.minor = minor
  }

  /** A major version, before 10 with its point. */
  static of(
    major: number,
    point: number | null = null,
    minor: number | null = null,
  ): PartialVersion {
    return new PartialVersion(major, point, minor)
  }

  /**
   * Reads a partial version.
   *
   * Ignores white space around it, such as the newline in `PG_VERSION`. Throws `ERR_RUNTIME_VERSION` for any other text,
   * including prereleases and `16.3.1`.
   */
  static parse(text: string | number): PartialVersion {
    const match = /^\s*(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?\s*$/.exec(String(text))
    const [first, second, third] = [1, 2, 3].map((part) => match?.[part] && Number(match[part]))
    if (typeof first === 'number' && first > 0) {
      if (first < 10) return new PartialVersion(first, orNull(second), orNull(third))
      if (typeof third !== 'number') return new PartialVersion(first, null, orNull(second))
    }
    throw notAVersion(String(text), 'a version of PostgreSQL, such as 16, 16.3 or 9.6')
  }

  /** Sorts partial versions, lowest first; an open part comes before a given one (`16` before `16.0`). */
  static compare(this: void, left: PartialVersion, right: PartialVersion): number {
    return left.compare(right)
  }

  /** Negative if this is lower than the other, 0 if they are equal, positive if it is higher. */
  compare(other: PartialVersion): number {
    return (
      this.major - other.major ||
      (this.point ?? -1) - (other.point ?? -1) ||
      (this.minor ?? -1) - (other.minor ?? -1)
    )
  }

  /** Whether this matches a version: 16 matches 16.3 and 16beta1, 16.3 only 16.3. */
  matches(version: VersionParts): boolean {
    return (
      this.major === version.major &&
      (this.point === null || this.point === version.point) &&
      (this.minor === null || (this.minor === version.minor && version.prerelease === null))
    )
  }

  /** The version as it was written: `15`, `9.6` or `15.3`. */
  toString(): string {
    return [this.major, this.point, this.minor].filter((part) => part !== null).join('.')
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString()
  }
}

function orNull(part: number | string | undefined): number | null {
  return typeof part === 'number' ? part : null
}
