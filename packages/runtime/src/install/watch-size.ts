import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The interval between looks at the size, in ms. */
const interval = 250

/** Reports the number of bytes below a directory whenever it has changed, until disposed. */
export function watchSize(directory: string, onSize: (bytes: number) => void): Disposable {
  let last = 0
  let stopped = false
  const look = async (): Promise<void> => {
    const bytes = await sizeOf(directory)
    if (stopped) return
    if (bytes !== last) onSize(bytes)
    last = bytes
    timer = setTimeout(() => void look(), interval)
  }
  let timer = setTimeout(() => void look(), interval)
  return {
    [Symbol.dispose]() {
      stopped = true
      clearTimeout(timer)
    },
  }
}

/** The number of bytes below a directory. Files that vanish meanwhile do not count. */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.map((entry) => {
      const path = join(directory, entry.name)
      if (entry.isDirectory()) return sizeOf(path)
      return stat(path).then(
        ({ size }) => size,
        () => 0,
      )
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
