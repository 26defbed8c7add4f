import { expect, test } from 'vitest'
import { main } from '../src/index.ts'
import { fakeIo } from './fake-io.ts'

test.each([
  [['testdb', 'nonsense'], 'there is no such action'],
  [['testdb', 'drop'], 'say which, or --all'],
  [['testdb', 'drop', 'x', '--all'], 'say which, or --all'],
  [['testdb', 'shell'], 'say which database'],
  [['testdb', 'shell', 'howdah_test_none'], 'there is no howdah_test_none'],
])('%j is used wrongly: %s', async (args, words) => {
  const io = fakeIo()
  expect(await main(args, io)).toBe(2)
  expect(io.err()).toContain(words)
})

test('testdb drop says what is not there, and fails', async () => {
  const io = fakeIo()
  expect(await main(['testdb', 'drop', 'howdah_test_none'], io)).toBe(1)
  expect(io.err()).toContain('howdah_test_none: is not there, or somebody uses it')
})
