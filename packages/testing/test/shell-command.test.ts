import { expect, test } from 'vitest'
import { shellCommand } from '../src/database/shell-command.ts'

test('the command that opens a shell can be pasted, whatever the names are', () => {
  expect(shellCommand('/tmp/data', 'app')).toBe('howdah shell -D /tmp/data -d app')
  expect(shellCommand("/it's here", 'a b')).toBe(
    String.raw`howdah shell -D '/it'\''s here' -d 'a b'`,
  )
})
