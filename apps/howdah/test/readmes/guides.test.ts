import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readmeExamples } from './readme-examples.ts'
import { ReadersProject } from './readers-project.ts'

/** Pages whose examples are run word by word, in their order, in one directory. */
describe.each(['worktrees'])('the guide docs/%s.md', (name) => {
  let project: ReadersProject

  beforeAll(() => {
    project = new ReadersProject()
  })

  afterAll(async () => {
    await project.leave()
  })

  const examples = readmeExamples(new URL(`../../../../docs/${name}.md`, import.meta.url))

  it('has examples', () => {
    expect(examples).not.toEqual([])
  })

  it.for(examples)('$title', { timeout: 300_000 }, async (example, { skip }) => {
    skip(example.reason !== null, `not run: ${example.reason}`)
    await expect(project.run(example)).resolves.toBeUndefined()
  })
})
