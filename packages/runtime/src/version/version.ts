import { PartialVersion } from './partial-version.ts'
import { notAVersion } from '../errors.ts'

/** The stages before a release, in their order. */
const stages = ['devel', 'alpha', 'beta', 'rc'] as const

/** A stage before the release, such as the second beta. */
export interface Prerelease {
  readonly stage: (typeof stages)[number]
  /** 0 without a number, as in `19devel`. */
  readonly number: number
}

// A number without a letter, digit or dot before it, so that `x86_64`, `deb12u1` and the like do not match. Matches 9.6.24,
// 9.6beta4, 16.3 and 17beta1.
const pattern =
  /(?<![\w.+~-])(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?(?:(devel|alpha|beta|rc)(\d{0,3}))?(?![\d.]*\d)/gi

/**
 * A complete version of PostgreSQL: `16.3`, before 10 `9.6.24`, or a prerelease such as `17beta1`.
 *
 * From 10 on a version is major.minor; before, major.point.minor. Prereleases sort before their release.
 */
export class Version {
  readonly major: number
  /** The second part of a version before 10, such as the 6 of 9.6.24; `null` from 10 on. */
  readonly point: number | null
  /** 0 for prereleases. */
  readonly minor: number
  readonly prerelease: Prerelease | null

  private constructor(
    major: number,
    point: number | null,
    minor: number,
    prerelease: Prerelease | null,
  ) {
    this.major = major
    this.point = point
    this.minor = minor
    this.prerelease = prerelease
  }

  /**
   * Finds the first complete version in a text, such as what `postgres --version` prints.
   *
   * A lone number (`16`) is not a complete version; see {@link PartialVersion}. Throws `ERR_RUNTIME_VERSION` if there is
   * none.
   *
   * @example
   * Version.parse('pg_ctl (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)').toString() // '15.18'
   */
  static parse(text: string): Version {
    for (const match of text.matchAll(pattern)) {
      const first = Number(match[1])
      const [second, third] = [orNull(match[2]), orNull(match[3])]
      const stage = stages.find((name) => name === match[4]?.toLowerCase())
      const prerelease = stage ? { stage, number: Number(match[5] ?? 0) } : null
      if (first >= 10) {
        // Some packagers print a third part, which we ignore.
        if (second !== null || prerelease) return new Version(first, null, second ?? 0, prerelease)
      } else if (second !== null && (third !== null || prerelease)) {
        return new Version(first, second, third ?? 0, prerelease)
      }
    }
    throw notAVersion(text, 'a version of PostgreSQL, such as 16.3, 9.6.24 or 17beta1')
  }

  /** Sorts versions, lowest first: negative if `left` is lower than `right`, 0 if they are equal. */
  static compare(this: void, left: Version, right: Version): number {
    return left.compare(right)
  }

  /** The content of `PG_VERSION` in a data directory of this version: `16`, before 10 `9.6`. */
  get dataVersion(): PartialVersion {
    return PartialVersion.of(this.major, this.point)
  }

  /** Negative if this is lower than the other, 0 if they are equal, positive if it is higher. */
  compare(other: Version): number {
    return (
      this.major - other.major ||
      (this.point ?? 0) - (other.point ?? 0) ||
      this.minor - other.minor ||
      rank(this.prerelease) - rank(other.prerelease) ||
      (this.prerelease?.number ?? 0) - (other.prerelease?.number ?? 0)
    )
  }

  /**
   * Whether a server of this version can run a data directory: the major version must be the same (before 10, major and
   * point), and the minor version must not be lower.
   *
   * PostgreSQL's promise for minor releases (manual, section 18.6) does not hold between prereleases. A data directory that
   * is known to be of a prerelease therefore needs exactly that prerelease. If the data version lacks the point (`9`), the
   * answer is false.
   */
  runs(data: PartialVersion | Version): boolean {
    if (data.major !== this.major || data.point !== this.point) return false
    if (data instanceof Version) {
      return data.prerelease ? this.compare(data) === 0 : this.compare(data) >= 0
    }
    if (data.minor === null) return true
    return this.prerelease === null && this.minor >= data.minor
  }

  /** The version as PostgreSQL writes it: `15.18`, `9.6.24` or `19beta1`. */
  toString(): string {
    const { major, point, minor, prerelease } = this
    const base = point === null ? `${major}` : `${major}.${point}`
    if (prerelease === null) return `${base}.${minor}`
    return `${base}${prerelease.stage}${prerelease.number === 0 ? '' : prerelease.number}`
  }

  /** As {@link toString}. */
  toJSON(): string {
    return this.toString()
  }
}

function orNull(part: string | undefined): number | null {
  return part === undefined ? null : Number(part)
}

function rank(prerelease: Prerelease | null): number {
  return prerelease === null ? stages.length : stages.indexOf(prerelease.stage)
}
