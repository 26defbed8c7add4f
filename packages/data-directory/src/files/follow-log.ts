import type { FileHandle } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { openPlainFile } from '@howdah/lock'
import type { DataDirectory } from '../data-directory.ts'
import { notPermitted } from '../errors.ts'

/** Which part of a log to read. */
export interface LogOptions {
  /** Read only the last so many lines. */
  lines?: number | undefined
  /** Go on with new lines, until `signal` is aborted. */
  follow?: boolean | undefined
  signal?: AbortSignal | undefined
}

const chunk = 64 * 1024

/**
 * The server's log as chunks of text; empty while there is none.
 *
 * When a start has put the old log aside, following goes on in the new file. It ends without an error when `signal` is
 * aborted.
 */
export async function* followLog(
  directory: DataDirectory,
  options: LogOptions = {},
): AsyncGenerator<string> {
  const { signal } = options
  let file = await openLog(directory)
  try {
    const decoder = new TextDecoder()
    let position =
      file === null || options.lines === undefined ? 0 : await startOfLast(file, options.lines)
    for (;;) {
      const { bytesRead, buffer } = (await file?.read(Buffer.alloc(chunk), 0, chunk, position)) ?? {
        bytesRead: 0,
      }
      if (buffer !== undefined && bytesRead > 0) {
        position += bytesRead
        yield decoder.decode(buffer.subarray(0, bytesRead), { stream: true })
        continue
      }
      if (options.follow !== true || signal?.aborted === true) return
      await sleep(100, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
      const replacement = await openLog(directory)
      if (await isSame(file, replacement)) {
        await replacement?.close()
      } else {
        await file?.close()
        file = replacement
        position = 0
      }
    }
  } finally {
    await file?.close()
  }
}

async function openLog(directory: DataDirectory): Promise<FileHandle | null> {
  return await openPlainFile(directory.logFile).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    if (error.code === 'EACCES') {
      const why = `may not read ${directory.logFile}; run as its owner`
      throw notPermitted(directory.path, directory.logFile, why, { cause: error })
    }
    throw error
  })
}

async function isSame(one: FileHandle | null, other: FileHandle | null): Promise<boolean> {
  if (one === null || other === null) return one === other
  const [first, second] = await Promise.all([one.stat(), other.stat()])
  return first.ino === second.ino && first.dev === second.dev
}

/** Finds the start of the last `lines` lines, from the end of the file. */
async function startOfLast(file: FileHandle, lines: number): Promise<number> {
  let { size: position } = await file.stat()
  // The newline at the end of the file begins no further line.
  let missing = lines + 1
  while (position > 0) {
    const length = Math.min(chunk, position)
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, position - length)
    for (let index = length - 1; index >= 0; index -= 1) {
      if (buffer[index] !== 0x0a) continue
      missing -= 1
      if (missing === 0) return position - length + index + 1
    }
    position -= length
  }
  return 0
}
