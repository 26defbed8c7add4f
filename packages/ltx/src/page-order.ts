import { LtxError } from './errors.ts'
import { isSnapshot, type LtxHeader } from './codec/header.ts'
import { lockPageNumber } from './lock-page.ts'

/** Checks the order of a file's pages. A snapshot has every page; in any other file page numbers ascend. */
export class PageOrder {
  readonly #header: LtxHeader
  readonly #lockPage: number
  #last = 0

  constructor(header: LtxHeader) {
    this.#header = header
    this.#lockPage = lockPageNumber(header.pageSize)
  }

  /** Throws `ERR_LTX_PAGE_ORDER` unless a page may come next. */
  next(number: number, offset?: number): void {
    const { commit } = this.#header
    const refuse = (why: string): LtxError =>
      new LtxError('ERR_LTX_PAGE_ORDER', `page ${number} must not come here: ${why}`, { offset })
    if (!Number.isInteger(number) || number < 1) throw refuse('that is not a page number')
    if (number > commit) throw refuse(`the database has ${commit} pages`)
    if (number === this.#lockPage) throw refuse('the lock page is never written')
    if (isSnapshot(this.#header)) {
      const expected = this.#after(this.#last)
      if (number !== expected) throw refuse(`a snapshot holds every page, and ${expected} is next`)
    } else if (number <= this.#last) {
      throw refuse(`it follows page ${this.#last}, and pages ascend`)
    }
    this.#last = number
  }

  /** Throws `ERR_LTX_PAGE_ORDER` if a snapshot lacks pages. */
  end(offset?: number): void {
    if (!isSnapshot(this.#header)) return
    const missing = this.#after(this.#last)
    if (missing <= this.#header.commit) {
      throw new LtxError('ERR_LTX_PAGE_ORDER', `the snapshot lacks page ${missing}`, { offset })
    }
  }

  #after(number: number): number {
    return number + 1 === this.#lockPage ? number + 2 : number + 1
  }
}
