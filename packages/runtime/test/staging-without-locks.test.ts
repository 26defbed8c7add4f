// @vitest-environment-options { "alone": "staging-without-locks" }
import { mkdirSync, readdirSync } from 'node:fs'
import { basename } from 'node:path'
import { temporaryDirectory } from '@howdah/fixtures'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StagingDirectory } from '../src/install/staging-directory.ts'

beforeAll(() => {
  // As on a platform for which there is no binding.
  process.env['HOWDAH_FLOCK'] = 'none'
})
afterAll(() => {
  delete process.env['HOWDAH_FLOCK']
})

test('if nothing can be locked, a tree is still built, and nothing is removed', async () => {
  using home = temporaryDirectory()
  mkdirSync(home.file('.staging-of-another'))
  {
    await using own = await StagingDirectory.create(home.path)
    expect(readdirSync(home.path).toSorted()).toEqual(
      [basename(own.path), '.staging-of-another'].toSorted(),
    )
  }
  expect(readdirSync(home.path)).toEqual(['.staging-of-another'])
})
