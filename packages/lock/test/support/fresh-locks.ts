import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach } from 'vitest'
import { LockManager } from '../../src/web-locks/index.ts'

/** A directory for each test of a file that imports this, and the web locks in it. */
export let directory: TemporaryDirectory
export let locks: LockManager

beforeEach(() => {
  directory = temporaryDirectory()
  locks = new LockManager(directory.file('locks'))
})

afterEach(() => {
  directory[Symbol.dispose]()
})
