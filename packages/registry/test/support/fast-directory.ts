import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { existsSync } from 'node:fs'
import { vi } from 'vitest'

/** A temporary directory in memory, if there is one: for tests that write ten thousand times what need not last. */
export function fastDirectory(): TemporaryDirectory {
  if (existsSync('/dev/shm')) vi.stubEnv('TMPDIR', '/dev/shm')
  try {
    return temporaryDirectory()
  } finally {
    vi.unstubAllEnvs()
  }
}
