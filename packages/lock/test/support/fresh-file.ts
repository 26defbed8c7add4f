import { writeFileSync } from 'node:fs'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { afterEach, beforeEach, expect } from 'vitest'

/** For each test of a file that imports this: a directory, a file in it, and the path of its lock file. */
export let directory: TemporaryDirectory
export let file: string
export let lockFile: string

/** An error with this code. */
export const code = (wanted: string): unknown => expect.objectContaining({ code: wanted })

beforeEach(() => {
  directory = temporaryDirectory()
  file = directory.file('file')
  lockFile = directory.file('file.lock')
  writeFileSync(file, '')
})

afterEach(() => {
  directory[Symbol.dispose]()
})
