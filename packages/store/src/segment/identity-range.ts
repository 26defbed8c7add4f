import { StoreError, type Failure } from '../errors.ts'

/** The largest possible identity: 2^48 − 1. */
export const maxIdentity = 2 ** 48 - 1

/** The range of the identities of segments: whole numbers from `min` to `max`. */
export class IdentityRange {
  readonly min: number
  readonly max: number

  /** From 0 to 9999 unless told otherwise. Throws `ERR_STORE_OPTION`. */
  constructor(
    { min = 0, max = 9999 }: { min?: number | undefined; max?: number | undefined },
    path: string,
  ) {
    if (
      !(
        Number.isInteger(min) &&
        Number.isInteger(max) &&
        min >= 0 &&
        min <= max &&
        max <= maxIdentity
      )
    ) {
      const why = `identities range from 0 to ${maxIdentity} at most, not from ${String(min)} to ${String(max)}; correct it`
      throw new StoreError('ERR_STORE_OPTION', { step: 'open a store', path }, why)
    }
    this.min = min
    this.max = max
  }

  /** Throws `ERR_STORE_IDENTITY` unless the number is in the range. */
  require(identity: number, failure: Failure): void {
    if (Number.isInteger(identity) && identity >= this.min && identity <= this.max) return
    const why = `${String(identity)} is not a whole number from ${this.min} to ${this.max}; choose one, or widen the store's range`
    throw new StoreError('ERR_STORE_IDENTITY', failure, why)
  }

  /**
   * Parses an identity, in decimal without sign or leading zeros. Throws `ERR_STORE_IDENTITY`.
   */
  parse(text: string, failure: Failure): number {
    if (!/^(0|[1-9]\d{0,15})$/.test(text)) {
      const why = `${JSON.stringify(text)} is not a whole number in canonical decimal; remove it`
      throw new StoreError('ERR_STORE_IDENTITY', failure, why)
    }
    this.require(Number(text), failure)
    return Number(text)
  }
}
