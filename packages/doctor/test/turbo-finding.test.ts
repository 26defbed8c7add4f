import { writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { turboFinding } from '../src/turbo-finding.ts'

function findingOf(text: string | null): string | null {
  using here = temporaryDirectory()
  if (text !== null) writeFileSync(here.file('turbo.json'), text)
  return turboFinding(here.path)?.cure ?? null
}

describe('turbo hides the database', () => {
  test.each([
    ['as it comes', '{ "tasks": { "test": {} } }'],
    ['if only a part is passed on', '{ "globalPassThroughEnv": ["DATABASE_URL"] }'],
    ['if only the cache knows of it in a comment', '{ /* "PG*" */ "globalEnv": ["DATABASE_URL"] }'],
    ['of another name', '{ "globalEnv": ["DATABASE_URLS", "XPG*"] }'],
  ])('%s', (_, text) => {
    expect(findingOf(text)).toBe(
      'put this into it: "globalPassThroughEnv": ["DATABASE_URL", "PG*"]',
    )
  })

  test.each([
    ['without a turbo.json', null],
    ['by what is passed on', '{ "globalPassThroughEnv": ["DATABASE_URL", "PG*"], }'],
    ['by what counts for the cache', '{ "globalEnv": ["*"] }'],
    ['by a task, too', '{ "tasks": { "test": { "env": ["DATABASE_URL", "PG*"] } } } // end'],
    ['in loose mode', '{ "envMode": "loose" }'],
    ['with a file that turbo itself cannot read', '{'],
  ])('not %s', (_, text) => {
    expect(findingOf(text)).toBeNull()
  })
})
