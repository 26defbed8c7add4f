const chunkSize = 65_536

/** Gathers small pieces into chunks of about 64 KiB, so that pages are not written one by one. */
export class Chunks {
  #pieces: Buffer[] = []
  #size = 0

  /** Takes a piece, and returns a chunk when there is enough for one. */
  add(piece: Buffer): Buffer | null {
    this.#pieces.push(piece)
    this.#size += piece.length
    return this.#size < chunkSize ? null : this.#gather()
  }

  /** Gives the remaining pieces with the last one. */
  end(piece: Buffer): Buffer {
    this.#pieces.push(piece)
    return this.#gather()
  }

  #gather(): Buffer {
    const chunk = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#size = 0
    return chunk
  }
}
