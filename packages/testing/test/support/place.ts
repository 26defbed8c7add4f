import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll } from 'vitest'

/**
 * Has this test file's servers lie in a directory of their own, in memory if there is some, so that it sees nothing of others'.
 * Servers must have ended by the end of the file.
 */
export function ownPlace(): string {
  const place = temporaryDirectory({ inMemory: true })
  const before = process.env['HOWDAH_TEMPORARY_DIR']
  process.env['HOWDAH_TEMPORARY_DIR'] = place.path
  afterAll(() => {
    if (before === undefined) delete process.env['HOWDAH_TEMPORARY_DIR']
    else process.env['HOWDAH_TEMPORARY_DIR'] = before
    place[Symbol.dispose]()
  })
  return place.path
}
