import {
  closeSync,
  constants,
  fchownSync,
  lchownSync,
  mkdirSync,
  openSync,
  readdirSync,
} from 'node:fs'
import { HeldDirectory, type Owner } from './held-directory.ts'

const { O_CREAT, O_EXCL, O_WRONLY } = constants

/**
 * A directory that is being filled. If we are root, it belongs to us while we write, and is handed over to its owner at the
 * end. Otherwise that user could put links into it, and make us write to their targets.
 */
export class Ground implements Disposable {
  readonly root: string
  readonly #held: HeldDirectory
  readonly #owner: Owner | null
  readonly #made: string[] = []

  private constructor(held: HeldDirectory, owner: Owner | null) {
    this.#held = held
    this.root = held.path
    this.#owner = owner
  }

  /** Takes an empty directory. */
  static at(path: string, owner: Owner | null): Ground {
    const held = HeldDirectory.open(path)
    try {
      if (owner !== null) fchownSync(held.fd, 0, 0)
      const found = readdirSync(held.path)
      if (found.length > 0) throw new Error(`${path} is not empty: ${found.join(', ')}`)
      return new Ground(held, owner)
    } catch (error) {
      closeSync(held.fd)
      throw error
    }
  }

  /** The path of a file in the directory, by the descriptor that is held. */
  file(path: string): string {
    return `${this.root}/${path}`
  }

  /** Makes a file that belongs to the owner, and opens it for writing. */
  create(path: string): number {
    const fd = openSync(this.file(path), O_WRONLY | O_CREAT | O_EXCL, 0o600)
    if (this.#owner !== null) fchownSync(fd, this.#owner.uid, this.#owner.gid)
    return fd
  }

  /** Makes a directory, which belongs to us until {@link handOver}. */
  makeDirectory(path: string): void {
    mkdirSync(this.file(path), 0o700)
    this.#made.push(path)
  }

  /** Hands the directory over, from the bottom up, so that the owner can enter only when all is done. */
  handOver(): void {
    const owner = this.#owner
    if (owner === null) return
    for (const path of this.#made.toReversed()) lchownSync(this.file(path), owner.uid, owner.gid)
    fchownSync(this.#held.fd, owner.uid, owner.gid)
  }

  /** Closes the directory, and hands nothing over. */
  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]()
  }
}
