// Whether a test mocks a module although the files of its package follow one another in the same processes: an earlier file may have
// loaded the module already, so that the mock has no effect. Prints what does so, and ends with 1 then.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const faults = ['packages', 'apps']
  .flatMap((room) => readdirSync(room).map((name) => join(room, name)))
  .filter((path) => follows(join(path, 'vitest.config.ts')))
  .flatMap((path) =>
    readdirSync(join(path, 'test'), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(path, 'test', name),
    ),
  )
  .filter((file) => file.endsWith('.ts') && readFileSync(file, 'utf8').includes('vi.mock('))

for (const file of faults)
  console.error(`${file}: mocks a module; take vitest.config.base.ts for its package`)
process.exitCode = faults.length === 0 ? 0 : 1

function follows(config) {
  return existsSync(config) && readFileSync(config, 'utf8').includes('vitest.config.together.ts')
}
