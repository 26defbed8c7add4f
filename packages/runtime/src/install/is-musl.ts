import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Whether this Linux has musl's loader and not glibc's. Programs built for glibc do not start then.
 *
 * `root` stands for `/` in tests.
 */
export async function isMusl(root = '/'): Promise<boolean> {
  const listed = await Promise.all(
    ['lib', 'lib64'].map((name) => readdir(join(root, name)).catch(() => [])),
  )
  const names = listed.flat()
  const musl = names.some((name) => name.startsWith('ld-musl-'))
  return (
    musl && !names.some((name) => /^ld(?:64)?[-.].*so/.test(name) && !name.startsWith('ld-musl-'))
  )
}
