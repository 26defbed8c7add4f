import { stripVTControlCharacters } from 'node:util'

/** What test runners print at their end: how many tests have passed, and how many have failed. */
const endings = [
  // mocha
  { passed: /^\s*(\d+) passing\b/gm, failed: /^\s*(\d+) failing\b/gm },
  // ava
  { passed: /^\s*(\d+) tests? passed/gm, failed: /^\s*(\d+) (?:tests?|hooks?) failed/gm },
  // vitest
  { passed: /^\s*Tests\s.*?(\d+) passed/gm, failed: /^\s*Tests\s.*?(\d+) failed/gm },
  // Jest
  { passed: /^Tests:.*?(\d+) passed/gm, failed: /^Tests:.*?(\d+) failed/gm },
]

/** The tests of a run by what it has printed; `null` if it has come to no end. */
export function tally(output) {
  const text = stripVTControlCharacters(output)
  const count = (pattern) => [...text.matchAll(pattern)].reduce((sum, [, n]) => sum + Number(n), 0)
  for (const { passed, failed } of endings) {
    const found = { passed: count(passed), failed: count(failed) }
    if (found.passed + found.failed > 0) return found
  }
  return null
}
