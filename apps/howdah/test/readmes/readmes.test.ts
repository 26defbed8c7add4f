import { existsSync, readdirSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readmeExamples } from './readme-examples.ts'
import { ReadersProject } from './readers-project.ts'

const root = new URL('../../../../', import.meta.url)
const readmes = [
  '.',
  'apps/howdah',
  ...readdirSync(new URL('packages', root)).map((name) => `packages/${name}`),
]
  .map((directory) => `${directory}/README.md`)
  .filter((path) => existsSync(new URL(path, root)))

/** With `HOWDAH_TEST_LONG=1` npx is npm's in all of them. */
const isLong = process.env['HOWDAH_TEST_LONG'] === '1'

/** The pages by task; the examples of those that have any are run as those of the READMEs are. */
const pages = [
  'docs',
  'docs/guides',
  ...readdirSync(new URL('packages', root)).map((name) => `packages/${name}/docs`),
]
  .filter((directory) => existsSync(new URL(directory, root)))
  .flatMap((directory) =>
    readdirSync(new URL(directory, root)).map((name) => `${directory}/${name}`),
  )
  .filter((path) => path.endsWith('.md') && readmeExamples(new URL(path, root)).length > 0)

describe.concurrent.each([...readmes, ...pages])('the examples of %s', (path) => {
  const url = new URL(path, root)
  let project: ReadersProject

  beforeAll(() => {
    const files = {
      'package.json':
        '{ "private": true, "type": "module", "scripts": { "test": "node app.js" } }\n',
      'app.js': 'process.exitCode = 0\n',
    }
    project = new ReadersProject(files, { realNpx: isLong || path === './README.md' })
  })

  afterAll(async () => {
    await project.leave()
  })

  const examples = readmeExamples(url)

  it.sequential('has examples', () => {
    expect(examples).not.toEqual([])
  })

  it.sequential.for(examples)('$title', { timeout: 300_000 }, async (example, { skip }) => {
    skip(example.reason !== null, `not run: ${example.reason}`)
    await expect(project.run(example)).resolves.toBeUndefined()
  })
})
