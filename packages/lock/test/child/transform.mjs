// transform FILE: counts up in a file for ever, and says each number after it is written.
import { writeSync } from 'node:fs'
import { lockedFile } from '@howdah/lock'

const path = process.argv[2]
for (;;) {
  const content = await lockedFile.transform(
    path,
    (old) => line(Number(old?.split(' ')[0] ?? 0) + 1),
    { durable: false },
  )
  writeSync(1, `${content.split(' ')[0]}\n`)
}

// Long enough that a torn write would show.
function line(number) {
  return `${number} ${'x'.repeat(100_000)} ${number}`
}
