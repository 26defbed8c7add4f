import { expect, test } from 'vitest'
import { main } from '../src/main.ts'
import { readCommandLine } from '../src/program/command-line.ts'
import { declarations } from '../src/program/declarations.ts'
import { fakeIo } from './fake-io.ts'

test('the section for AGENTS.md names no command and no option that howdah does not have', async () => {
  const io = fakeIo()
  expect(await main(['agents'], io)).toBe(0)
  const commands = [...io.out().matchAll(/`npx howdah ([^`]+)`/g)].map(([, words = '']) =>
    words.replaceAll(/'[^']*'/g, 'quoted').split(' '),
  )
  expect(commands.length).toBeGreaterThan(8)
  const wrong = commands.filter(
    (words) => 'status' in readCommandLine(words, fakeIo(), declarations),
  )
  expect(wrong).toEqual([])
})
