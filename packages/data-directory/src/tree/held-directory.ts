import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
} from 'node:fs'

/** The user and group that become the owner of something. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** Something that has a directory open, such as a lock on it. */
export interface Descriptor {
  readonly fd: number
}

const descriptors = '/proc/self/fd/'

/**
 * The path by which our own calls reach the open directory of a descriptor, whatever happens to its name; `path` itself if
 * there is no /proc. It is not valid in child processes.
 */
export function pathOf({ fd }: Descriptor, path: string): string {
  const held = `${descriptors}${fd}`
  return process.platform === 'linux' && existsSync(held) ? held : path
}

/** Whether a path is one of {@link pathOf}, or lies below one. */
export function isByDescriptor(path: string): boolean {
  return path.startsWith(descriptors)
}

/**
 * A directory that is held open. As root we work in places where another user may rename and link, so the same name may lead
 * to two different directories at two times.
 */
export class HeldDirectory implements Descriptor, Disposable {
  readonly fd: number
  /** See {@link pathOf}. */
  readonly path: string

  private constructor(fd: number, path: string) {
    this.fd = fd
    this.path = pathOf(this, path)
  }

  /** Opens a directory; does not follow a link. Throws errors of the system. */
  static open(path: string): HeldDirectory {
    const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
    const isDescriptor = /^\/proc\/self\/fd\/\d+$/.test(path)
    const real = isDescriptor ? `${path}/.` : path
    return new HeldDirectory(openSync(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path)
  }

  /** Opens a directory; follows links. Throws errors of the system. */
  static follow(path: string): HeldDirectory {
    const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants
    return new HeldDirectory(openSync(`${path}/.`, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), path)
  }

  /** Makes a directory with mode 0700, whatever the umask, and gives it to `owner`. Throws errors of the system. */
  static make(path: string, owner: Owner | null): HeldDirectory {
    mkdirSync(path, 0o700)
    const made = HeldDirectory.open(path)
    try {
      made.give(owner)
      return made
    } catch (error) {
      closeSync(made.fd)
      throw error
    }
  }

  /**
   * Sets mode 0700, and gives the directory to `owner`. It must be empty and ours, because another directory may have been
   * put in the place of the one that we made.
   */
  give(owner: Owner | null): void {
    const { uid } = fstatSync(this.fd)
    if (uid !== (owner?.uid ?? uid)) {
      if (uid !== process.geteuid?.() || readdirSync(this.path).length > 0) {
        throw new Error(`${this.path} was replaced while it was made; try again`)
      }
    }
    fchmodSync(this.fd, 0o700)
    if (owner !== null) fchownSync(this.fd, owner.uid, owner.gid)
  }

  /** Closes the descriptor. */
  [Symbol.dispose](): void {
    closeSync(this.fd)
  }
}
