import { fsync, futimes } from 'node:fs'
import { type FileHandle, open as openWithNode } from 'node:fs/promises'
import { promisify } from 'node:util'

/**
 * Opens a file as `node:fs/promises` does, and gives a handle that `await using` closes.
 *
 * Under Yarn's Plug'n'Play `node:fs/promises` gives handles of Yarn's own, without `Symbol.asyncDispose`, and with `sync` and
 * `utimes` that throw "Method not implemented"; but their descriptors are real ones.
 */
export async function open(...args: Parameters<typeof openWithNode>): Promise<FileHandle> {
  const file = await openWithNode(...args)
  const handle: object = file
  if (!(Symbol.asyncDispose in handle)) {
    Object.assign(handle, { [Symbol.asyncDispose]: () => file.close() })
  }
  return Object.assign(file, {
    sync: () => promisify(fsync)(file.fd),
    utimes: (accessed: number | string | Date, modified: number | string | Date) =>
      promisify(futimes)(file.fd, accessed, modified),
  })
}
