import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

/** Opens a file, and then does what it is told: it maps and closes the file, and unmaps it. */
const script = `
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
file = os.open(sys.argv[1], os.O_RDWR)
size = os.fstat(file).st_size
print("open", flush=True)
for line in sys.stdin:
    if line == "map\\n":
        place = libc.mmap(None, size, 3, 1, file, 0)
        os.close(file)
    else:
        libc.munmap(place, size)
    print("done", flush=True)
`

/** A process that makes a segment of shared memory step by step, as a PostgreSQL server does. Its file is there already. */
export class SegmentMaker implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #answers: AsyncIterator<string>

  private constructor(path: string) {
    this.#child = spawn('python3', ['-c', script, path], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#answers = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
  }

  /** Gives it when it has opened the file. */
  static async open(path: string): Promise<SegmentMaker> {
    const maker = new SegmentMaker(path)
    await maker.#answers.next()
    return maker
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Maps the file, and then closes it. */
  async map(): Promise<void> {
    await this.#do('map')
  }

  /** Unmaps the file. */
  async unmap(): Promise<void> {
    await this.#do('unmap')
  }

  /** Ends it. */
  async end(): Promise<void> {
    this.#child.stdin.end()
    await once(this.#child, 'close')
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL')
  }

  async #do(step: string): Promise<void> {
    this.#child.stdin.write(`${step}\n`)
    const { done } = await this.#answers.next()
    if (done === true) throw new Error('it has ended')
  }
}
