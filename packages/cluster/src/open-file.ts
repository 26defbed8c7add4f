import { type FileHandle, open as openWithNode } from 'node:fs/promises'

/**
 * Opens a file as `node:fs/promises` does, and gives a handle that `await using` closes.
 *
 * Under Yarn's Plug'n'Play `node:fs/promises` gives handles of Yarn's own, which lack `Symbol.asyncDispose`.
 */
export async function open(...args: Parameters<typeof openWithNode>): Promise<FileHandle> {
  const file = await openWithNode(...args)
  const handle: object = file
  if (!(Symbol.asyncDispose in handle)) {
    Object.assign(handle, { [Symbol.asyncDispose]: () => file.close() })
  }
  return file
}
