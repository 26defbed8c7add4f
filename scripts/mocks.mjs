// Whether a test that needs a process of its own says so, if the files of its package follow one another in the same processes. A
// mock has no effect there if an earlier file has loaded the module, and the hooks of a shared file are the first test file's alone.
// Prints what does not, and ends with 1 then. See vitest.config.together.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const alone = /^\/\/ @vitest-environment-options (.*)$/m
const needsOwnProcess = /^vi\.mock\(|^(?:before|after)(?:Each|All)\(/m

const faults = ['packages', 'apps']
  .flatMap((room) => readdirSync(room).map((name) => join(room, name)))
  .filter((path) => follows(join(path, 'vitest.config.ts')))
  .flatMap((path) => faultsIn(join(path, 'test')))

for (const fault of faults) console.error(fault)
process.exitCode = faults.length === 0 ? 0 : 1

function follows(config) {
  return existsSync(config) && /vitest\.config\.together\.ts/.test(readFileSync(config, 'utf8'))
}

function faultsIn(directory) {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => {
      const file = join(directory, name)
      const text = readFileSync(file, 'utf8')
      const wanted = `// @vitest-environment-options { "alone": "${name.replace('.test.ts', '')}" }`
      const [said] = alone.exec(text) ?? []
      if (said !== undefined) return said === wanted ? [] : [`${file}: is to say ${wanted}`]
      const mocks = text.includes('vi.mock(') || sharedBy(file, text).some(isOfOneProcess)
      return mocks ? [`${file}: needs a process of its own, so it is to say ${wanted}`] : []
    })
}

/** The files beside the tests that a test imports. */
function sharedBy(file, text) {
  return [...text.matchAll(/ from '(\.{1,2}\/[^']*)'/g)]
    .map(([, path]) => join(dirname(file), path))
    .filter((path) => /\/test\/.*\.ts$/.test(path) && existsSync(path))
}

function isOfOneProcess(file) {
  return needsOwnProcess.test(readFileSync(file, 'utf8'))
}
